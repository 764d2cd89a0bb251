"""Managers decide reviews."""

from django.db import migrations

from orders.roles import sync_roles


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_batches_and_review")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: sync_roles(apps), migrations.RunPython.noop
        )
    ]
