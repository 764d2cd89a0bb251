"""Tokens that can be revoked, rates that are counted, and where a guest's orders come from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_saved_filters")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="token_epoch",
            field=models.PositiveIntegerField(
                db_default=0,
                editable=False,
                help_text="Grows when all tokens of the user are revoked.",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="placed_from",
            field=models.CharField(
                blank=True,
                db_default="",
                editable=False,
                help_text="A keyed hash of the address that a guest ordered from; empty for others.",
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="RateCount",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="The scope, and who.",
                        max_length=100,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("since", models.DateTimeField(db_index=True, help_text="When the window began.")),
                ("hits", models.IntegerField()),
            ],
        ),
        # A count that a crash loses is no loss, and so it need not wait for the disk.
        migrations.RunSQL(
            "ALTER TABLE orders_ratecount SET UNLOGGED", "ALTER TABLE orders_ratecount SET LOGGED"
        ),
    ]
