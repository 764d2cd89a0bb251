"""The API's list by its orders' last change, and the open orders of a guest's address.

Built while the service runs, as those of 0011 are.
"""

import django.contrib.postgres.operations as postgres
from django.db import migrations, models

PATIENT = "SET statement_timeout = 0; SET lock_timeout = 0"
IMPATIENT = "RESET statement_timeout; RESET lock_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0013_tokens_and_rates")]

    operations = [
        migrations.RunSQL(PATIENT, IMPATIENT),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index("updated_at", name="order_updated"),
        ),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                fields=["placed_from"],
                name="order_open_of_guest",
                condition=models.Q(
                    ("status", "PENDING"), models.Q(("placed_from", ""), _negated=True)
                ),
            ),
        ),
        migrations.RunSQL(IMPATIENT, PATIENT),
    ]
