"""Whose word an order's prices are: of all that are there already, the caller's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_indexes_of_the_api")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="price_source",
            field=models.CharField(
                choices=[("sent", "Sent"), ("catalogue", "Catalogue"), ("staff", "Staff")],
                db_default="sent",
                help_text="Whose word its prices are.",
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_source__in", ["sent", "catalogue", "staff"])),
                name="order_price_source",
            ),
        ),
    ]
