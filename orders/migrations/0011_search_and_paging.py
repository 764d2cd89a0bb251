"""The indexes that lists and searches of a million orders rest on.

They are built while the service runs: CONCURRENTLY, hence outside a transaction, and with the
patience that it needs, which no other statement has. When a build is interrupted, PostgreSQL keeps
an invalid index of that name: drop it, then migrate again.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.operations as postgres
import django.db.models.functions.text
import orders.models.search
from django.db import migrations, models

PATIENT = "SET statement_timeout = 0; SET lock_timeout = 0"
IMPATIENT = "RESET statement_timeout; RESET lock_timeout"

# How often a word occurs is guessed from a sample. With the usual 100 values of it the guess is
# wrong by so much that a rare word is looked for in all orders, one by one.
STATISTICS = """
ALTER INDEX order_customer_words ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX item_product_words ALTER COLUMN 1 SET STATISTICS 1000;
ANALYZE orders_order;
ANALYZE orders_orderitem;
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0010_exports")]

    operations = [
        migrations.RunSQL(PATIENT, IMPATIENT),
        postgres.TrigramExtension(),
        postgres.RemoveIndexConcurrently(model_name="order", name="order_email_newest"),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                django.db.models.functions.text.Upper("email"),
                models.OrderBy(models.F("number"), descending=True),
                name="order_email_folded",
            ),
        ),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                django.db.models.functions.text.Upper("city"),
                models.OrderBy(models.F("number"), descending=True),
                name="order_city_folded",
            ),
        ),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                fields=["created_at", "number"],
                include=("status", "currency", "total"),
                name="order_age",
            ),
        ),
        postgres.RemoveIndexConcurrently(model_name="order", name="order_placed"),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=models.Index(models.F("total"), name="order_total"),
        ),
        postgres.AddIndexConcurrently(
            model_name="order",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    orders.models.search.Customer(models.F("full_name"), models.F("email")),
                    name="gin_trgm_ops",
                ),
                fastupdate=False,
                name="order_customer_words",
            ),
        ),
        postgres.AddIndexConcurrently(
            model_name="orderitem",
            index=models.Index(
                models.F("product_id"),
                models.OrderBy(models.F("order"), descending=True),
                name="item_product_newest",
            ),
        ),
        postgres.AddIndexConcurrently(
            model_name="orderitem",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("product_id"), name="gin_trgm_ops"
                ),
                fastupdate=False,
                name="item_product_words",
            ),
        ),
        migrations.RunSQL(STATISTICS, migrations.RunSQL.noop),
        migrations.RunSQL(IMPATIENT, PATIENT),
    ]
