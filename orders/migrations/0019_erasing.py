"""The history can say that an order's customer was erased: a word, and no SQL."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0018_stock_baselines"),
    ]

    operations = [
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("placed", "Placed"),
                    ("confirmation_requested", "Confirmation requested"),
                    ("confirmation_failed", "Confirmation failed"),
                    ("review_needed", "Review needed"),
                    ("review_resolved", "Review resolved"),
                    ("confirmed", "Confirmed"),
                    ("completed", "Completed"),
                    ("cancellation_requested", "Cancellation requested"),
                    ("cancelled", "Cancelled"),
                    ("restocked", "Restocked"),
                    ("held", "Held"),
                    ("released", "Released"),
                    ("amended", "Amended"),
                    ("erased", "Erased"),
                ],
                max_length=24,
            ),
        ),
    ]
