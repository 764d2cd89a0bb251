"""Who gives stock back, by when it is due; built while the service runs, as those of 0011 are."""

import django.contrib.postgres.operations as postgres
from django.db import migrations, models

PATIENT = "SET statement_timeout = 0; SET lock_timeout = 0"
IMPATIENT = "RESET statement_timeout; RESET lock_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0015_price_source")]

    operations = [
        migrations.RunSQL(PATIENT, IMPATIENT),
        postgres.AddIndexConcurrently(
            model_name="confirmation",
            index=models.Index(
                fields=["wake_at"],
                condition=models.Q(("state", "reversing")),
                name="confirmation_returning",
            ),
        ),
        migrations.RunSQL(IMPATIENT, PATIENT),
    ]
