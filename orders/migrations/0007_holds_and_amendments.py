"""Orders can be held and amended, and roles say by whom."""

import orders.status
from django.db import migrations, models

from orders.roles import sync_roles


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_movement_history"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "permissions": [
                    ("confirm_order", "Can confirm orders"),
                    ("complete_order", "Can complete orders"),
                    ("cancel_order", "Can cancel pending orders"),
                    ("restock_order", "Can cancel confirmed orders, which restocks them"),
                    ("hold_order", "Can keep orders from being confirmed, and release them"),
                    ("amend_order", "Can correct lines and address of pending orders"),
                    ("export_order", "Can export orders"),
                    (
                        "review_stock",
                        "Can decide whether a movement of unknown outcome was applied",
                    ),
                ]
            },
        ),
        migrations.AddField(
            model_name="order",
            name="held_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="hold_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("payment", "Payment"),
                    ("address", "Address"),
                    ("customer", "Customer"),
                    ("fraud", "Fraud"),
                    ("stock", "Stock"),
                    ("other", "Other"),
                ],
                db_default="",
                help_text="Why it must not be confirmed; empty when it may be.",
                max_length=8,
            ),
        ),
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
                ],
                max_length=24,
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("number"), descending=True),
                condition=models.Q(("hold_reason", ""), _negated=True),
                name="order_on_hold",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("held_since", None), ("hold_reason", "")),
                    models.Q(
                        ("held_since__isnull", False),
                        (
                            "hold_reason__in",
                            [
                                orders.status.HoldReason["PAYMENT"],
                                orders.status.HoldReason["ADDRESS"],
                                orders.status.HoldReason["CUSTOMER"],
                                orders.status.HoldReason["FRAUD"],
                                orders.status.HoldReason["STOCK"],
                                orders.status.HoldReason["OTHER"],
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="order_hold",
            ),
        ),
        migrations.RunPython(
            lambda apps, schema_editor: sync_roles(apps), migrations.RunPython.noop
        ),
    ]
