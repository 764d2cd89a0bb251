"""The API's fields in the words of JSON Schema: it refuses what they refuse, and nothing else."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers as rest

from orders import limits
from orders.api import fields, filters, serializers, tokens

Schema = dict[str, Any]

AMOUNT = r"^[0-9]+(\.[0-9]{1,2})?$"
# What is sent has other names than what is answered, and words for callers.
_SENT = {
    "OrderSerializer": ("NewOrder", "What a customer asks for."),
    "ItemSerializer": ("NewItem", "Pieces of one product at one price."),
    "StatusSerializer": ("StatusChange", "The status that an order shall have."),
    "SignInSerializer": ("SignIn", "Who signs in; `code` is of the app, or a recovery code."),
    "RefreshSerializer": ("Refresh", "The longer-lived token of a pair."),
}
_SPACES = limits.SPACES.replace(" ", r"\x20")  # so that nobody breaks a line there
_AROUND = f"[{_SPACES}]*"
PRICE = rf"^{_AROUND}0*[0-9]{{1,7}}(\.[0-9]{{1,2}})?{_AROUND}$"


def text(longest: int) -> str:
    """Return the pattern of a text: its length counts without the spaces around it."""
    inside, end = f"[^{limits.CONTROL}]", f"[^{limits.CONTROL}{_SPACES}]"
    return f"^{_AROUND}{end}({inside}{{0,{longest - 2}}}{end})?{_AROUND}$"


def product_id(longest: int) -> str:
    """Return the pattern of a product's id; a dot begins one that has something else, too."""
    never = rf"{limits.CONTROL}{limits.UNPRINTABLE}/\\"
    inside, end, no_dot = f"[^{never}]", rf"[^{never}\x20]", rf"[^{never}\x20.]"
    one, two = no_dot, rf"{no_dot}{end}|\.{no_dot}"
    more = f"{end}{inside}{{1,{longest - 2}}}{end}"
    return f"^{_AROUND}({one}|{two}|{more}){_AROUND}$"


class _Field(OpenApiSerializerFieldExtension):
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
            "pattern": text(field.max_length),
            "description": f"At most {field.max_length} characters, without the spaces around.",
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
            "pattern": product_id(field.max_length),
            "description": f"At most {field.max_length} printable characters, without `/` and"
            " `\\`, and neither `.` nor `..`.",
        }


class SecretSchema(_Field):
    target_class = tokens.Secret

    def described(self, field: Any) -> Schema:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": field.max_length,
            "pattern": r"^[^\x00]*$",
            "writeOnly": True,
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
        return {"type": "string", "pattern": AMOUNT, "maxLength": fields.LONGEST_AMOUNT}


class MomentSchema(_Field):
    target_class = fields.Moment

    def described(self, field: Any) -> Schema:
        return {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ]
        }


class WordSchema(_Field):
    target_class = fields.Word

    def described(self, field: Any) -> Schema:
        return {"type": "string", "enum": [str(word) for word in field.choices]}


class CursorSchema(_Field):
    target_class = filters.Cursor

    def described(self, field: Any) -> Schema:
        return {"type": "string", "pattern": f"^{filters.CURSOR}$"}


class StrictSchema(OpenApiSerializerExtension):
    """An object that refuses what it does not know, and empty lists that are none."""

    target_class = serializers.Strict
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """Tell what is sent from what is answered."""
        return _SENT[type(self.target).__name__][0]

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the object's schema."""
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for name, field in self.target.fields.items():
            described = schema["properties"][name]
            if isinstance(field, rest.ListField) and not field.allow_empty:
                described["minItems"] = 1
            if isinstance(field, fields.Text | fields.Word) and not isinstance(field, fields.Email):
                # The library counts spaces that are dropped, and says of words what they say.
                described.pop("minLength", None)
                described.pop("maxLength", None)
        if type(self.target).__name__ in _SENT:
            schema["description"] = _SENT[type(self.target).__name__][1]
        return schema | {"additionalProperties": False}
