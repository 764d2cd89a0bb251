"""What the processes of the service have counted."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0016_stock_on_its_way_back")]

    operations = [
        migrations.CreateModel(
            name="ProcessReport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False),
                ),
                (
                    "role",
                    models.CharField(help_text="web, worker, command; empty: gone.", max_length=10),
                ),
                ("reported_at", models.DateTimeField(db_index=True)),
                ("samples", models.JSONField(default=dict)),
            ],
        ),
        # A crash of the database may empty it: each process goes on where it was.
        migrations.RunSQL(
            "ALTER TABLE orders_processreport SET UNLOGGED",
            "ALTER TABLE orders_processreport SET LOGGED",
        ),
    ]
