"""The staff's roles."""

from django.db import migrations

from orders.roles import sync_roles


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_order_numbers_and_history"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: sync_roles(apps), migrations.RunPython.noop
        )
    ]
