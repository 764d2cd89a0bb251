"""A batch is one verb for many orders, with an entry an order; before, it could only confirm."""

import django.db.models.deletion
import django.db.models.functions.datetime
import orders.status
from django.conf import settings
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from orders.roles import sync_roles

ENTRIES_OF_OLD_BATCHES = """
INSERT INTO orders_batchentry (batch_id, order_id, outcome, code, ended_at)
SELECT batch_id, order_id,
       CASE WHEN state = 'confirmed' THEN 'done'
            WHEN state IN ('rejected', 'cancelled') THEN 'refused' ELSE '' END,
       CASE WHEN state IN ('rejected', 'cancelled') THEN failure ELSE '' END,
       CASE WHEN state IN ('confirmed', 'rejected', 'cancelled') THEN coalesce(settled_at, created_at) END
  FROM orders_confirmation WHERE batch_id IS NOT NULL
    ON CONFLICT DO NOTHING
"""


def share_out_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the roles see batches by their new name, and drop the permissions of the old one."""
    sync_roles(apps)
    permissions = apps.get_model("auth", "Permission")
    permissions.objects.filter(codename__endswith="_confirmationbatch").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0007_holds_and_amendments"),
    ]

    operations = [
        migrations.RenameModel("ConfirmationBatch", "Batch"),
        migrations.AlterModelOptions("batch", {"verbose_name_plural": "batches"}),
        migrations.AddField(
            "batch",
            "verb",
            models.CharField(db_default="confirm", max_length=8),
        ),
        migrations.AddField(
            "batch", "reason", models.CharField(blank=True, db_default="", max_length=16)
        ),
        migrations.AddField(
            "batch",
            "note",
            models.TextField(
                blank=True,
                db_default="",
                help_text="Added to each order's notes.",
                max_length=2000,
            ),
        ),
        migrations.AddField(
            "batch",
            "user",
            models.ForeignKey(
                help_text="With whose rights the worker acts; empty for the operator.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="BatchEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("outcome", models.CharField(blank=True, db_default="", max_length=7)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="The error's code, when refused.",
                        max_length=24,
                    ),
                ),
                (
                    "why",
                    models.TextField(blank=True, db_default="", help_text="The error in words."),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="orders.batch",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "verb__in",
                        [
                            "confirm",
                            "complete",
                            "cancel",
                            "hold",
                            "release",
                        ],
                    )
                ),
                name="batch_verb",
            ),
        ),
        migrations.AddIndex(
            model_name="batchentry",
            index=models.Index(
                condition=models.Q(("outcome", "")), fields=["order"], name="entry_waiting_order"
            ),
        ),
        migrations.AddIndex(
            model_name="batchentry",
            index=models.Index(
                condition=models.Q(("outcome", "")), fields=["batch", "id"], name="entry_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="batchentry",
            index=models.Index(fields=["batch", "outcome"], name="entry_outcomes"),
        ),
        migrations.AddConstraint(
            model_name="batchentry",
            constraint=models.UniqueConstraint(
                fields=("batch", "order"), name="one_entry_per_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("outcome", "")),
                    models.Q(
                        ("ended_at__isnull", False),
                        (
                            "outcome__in",
                            [
                                orders.status.EntryOutcome["DONE"],
                                orders.status.EntryOutcome["REFUSED"],
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="entry_outcome",
            ),
        ),
        migrations.RunSQL(ENTRIES_OF_OLD_BATCHES, migrations.RunSQL.noop),
        migrations.RunPython(share_out_permissions, migrations.RunPython.noop),
    ]
