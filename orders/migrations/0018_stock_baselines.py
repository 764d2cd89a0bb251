"""Stock that people accept, for the ledger to count on from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0017_metrics"),
    ]

    operations = [
        migrations.CreateModel(
            name="StockBaseline",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("product_id", models.CharField(max_length=100)),
                (
                    "quantity",
                    models.BigIntegerField(help_text="What the inventory had, in pieces."),
                ),
                (
                    "expected",
                    models.BigIntegerField(
                        help_text="What the ledger expected; empty when it had no word on the product.",
                        null=True,
                    ),
                ),
                ("at", models.DateTimeField(help_text="What was sent later counts on from it.")),
                ("actor", models.CharField(max_length=40)),
                ("via", models.CharField(max_length=8)),
                ("note", models.TextField(help_text="Why it is right. Names no customer.")),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("product_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="baseline_history",
                    )
                ],
            },
        ),
    ]
