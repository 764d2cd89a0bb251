"""The API's fields in the words of JSON Schema; what a pattern can't say is said in words."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from orders import limits
from orders.api import fields

Schema = dict[str, Any]

# Neither a control character nor a line's end; and something that can be seen.
_PLAIN = r"\x00-\x1f\x7f-\x9f"
TEXT = rf"^[^{_PLAIN}]*[^\s{_PLAIN}][^{_PLAIN}]*$"
PRODUCT_ID = rf"^(?!\.{{1,2}}$)[^\s{_PLAIN}/\\]([^{_PLAIN}/\\]*[^\s{_PLAIN}/\\])?$"
AMOUNT = r"^[0-9]{1,17}(\.[0-9]{1,2})?$"
PRICE = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"


class _Field(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """What all have: a target, and no name of its own."""

    def get_name(self) -> None:
        """Describe the field where it stands."""
        return

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the field's schema."""
        return self.described(self.target)

    def described(self, field: Any) -> Schema:
        """Return the schema of one field."""
        raise NotImplementedError


class TextSchema(_Field):
    target_class = fields.Text

    def described(self, field: Any) -> Schema:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": field.max_length,
            "pattern": TEXT,
        }


class EmailSchema(_Field):
    target_class = fields.Email

    def described(self, field: Any) -> Schema:
        return {"type": "string", "format": "email", "maxLength": field.max_length}


class ProductIdSchema(_Field):
    target_class = fields.ProductId

    def described(self, field: Any) -> Schema:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": field.max_length,
            "pattern": PRODUCT_ID,
            "description": "Printable characters.",
        }


class QuantitySchema(_Field):
    target_class = fields.Quantity

    def described(self, field: Any) -> Schema:
        return {
            "type": "integer",
            "minimum": 1,
            "maximum": limits.MAX_QUANTITY,
            "description": "Pieces.",
        }


class PriceSchema(_Field):
    target_class = fields.Price

    def described(self, field: Any) -> Schema:
        highest = float(limits.MAX_PRICE)
        return {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": highest, "multipleOf": 0.01},
                {"type": "string", "pattern": PRICE},
            ],
            "description": "Of one piece, with 2 decimals at most; a string is exact everywhere.",
        }


class WholeNumberSchema(_Field):
    target_class = fields.WholeNumber

    def described(self, field: Any) -> Schema:
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}


class AmountSchema(_Field):
    target_class = fields.Amount

    def described(self, field: Any) -> Schema:
        return {"type": "string", "pattern": AMOUNT}


class MomentSchema(_Field):
    target_class = fields.Moment

    def described(self, field: Any) -> Schema:
        return {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ],
            "description": "A date, or a time as in ISO 8601, in UTC unless it has an offset.",
        }
