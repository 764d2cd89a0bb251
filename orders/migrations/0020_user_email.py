"""The index by which somebody who has forgotten a password is found.

It is built while the service runs, as those of 0011 are.
"""

import django.contrib.postgres.operations as postgres
import django.db.models.functions.text
from django.db import migrations, models

PATIENT = "SET statement_timeout = 0; SET lock_timeout = 0"
IMPATIENT = "RESET statement_timeout; RESET lock_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0019_erasing")]

    operations = [
        migrations.RunSQL(PATIENT, IMPATIENT),
        postgres.AddIndexConcurrently(
            model_name="user",
            index=models.Index(
                django.db.models.functions.text.Upper("email"), name="user_email_folded"
            ),
        ),
        migrations.RunSQL(IMPATIENT, PATIENT),
    ]
