"""The columns of the CSV files, in their order.

Never the order's public id: whoever holds it may read the order.
"""

from dataclasses import dataclass

from orders.status import ExportKind


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, the field that it shows, and what that means where it needs saying.

    The field is one of `orders.exports.writing`'s rows.
    """

    heading: str
    field: str
    meaning: str = ""


COLUMNS: dict[ExportKind, tuple[Column, ...]] = {
    ExportKind.ORDERS: (
        Column("number", "number", "the order's number"),
        Column("status", "status", "PENDING, CONFIRMED, COMPLETED or CANCELLED"),
        Column("stock", "stock_state", "clear, settling, review or short"),
        Column("hold", "hold_reason", "why it must not be confirmed; empty when it may be"),
        Column("created_at", "created_at", "when it was placed, UTC"),
        Column("updated_at", "updated_at", "when it last changed, UTC"),
        Column("customer_reference", "customer_reference", "the shop's own name of the customer"),
        Column("full_name", "full_name"),
        Column("email", "email"),
        Column("address", "address"),
        Column("city", "city"),
        Column("zip_code", "zip_code"),
        Column("lines", "lines", "how many lines the order has"),
        Column("pieces", "pieces", "how many pieces they are"),
        Column("currency", "currency"),
        Column("total", "total"),
    ),
    ExportKind.LINES: (
        Column("order_number", "order__number", "the order's number"),
        Column("order_status", "order__status", "PENDING, CONFIRMED, COMPLETED or CANCELLED"),
        Column("order_created_at", "order__created_at", "when the order was placed, UTC"),
        Column("full_name", "order__full_name"),
        Column("email", "order__email"),
        Column("product_id", "product_id"),
        Column("quantity", "quantity", "pieces"),
        Column("currency", "order__currency"),
        Column("unit_price", "unit_price"),
        Column("subtotal", "amount", "quantity times unit price"),
    ),
}
