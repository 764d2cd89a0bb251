"""What a request's body may hold. Every fault is reported, and nothing is ignored."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from orders import limits
from orders.api.fields import Email, Price, ProductId, Quantity, Text, Word
from orders.lifecycle import Item
from orders.models import User
from orders.status import OrderStatus

_SHOWN_OF_A_NAME = 100  # characters of an unknown field's name that an answer repeats


class Strict(serializers.Serializer[Any]):
    """A JSON object that holds what it may hold, and nothing else."""

    default_error_messages = {"invalid": "Must be an object", "null": "Must be an object"}

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; unknown fields are refused by name, beside all other faults."""
        errors: dict[str, Any] = {}
        value = None
        try:
            value = super().to_internal_value(data)
        except ValidationError as exc:
            errors = dict(exc.detail) if isinstance(exc.detail, dict) else {"": exc.detail}
        if isinstance(data, Mapping):
            errors = self.faults_between(data) | errors
            unknown = ErrorDetail("Is no field that is known here", "unknown_field")
            errors |= {
                name[:_SHOWN_OF_A_NAME]: [unknown] for name in data.keys() - self.fields.keys()
            }
        if errors:
            raise ValidationError(errors)
        return value

    def faults_between(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the faults of fields that do not go together, of data that nobody has checked."""
        return {}


class ItemSerializer(Strict):
    """Pieces of one product at one price."""

    productId = ProductId(max_length=limits.PRODUCT_ID_LENGTH, source="product_id")
    quantity = Quantity()
    price = Price(source="unit_price")

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Return the item as the lifecycle takes it."""
        return Item(**attrs)


class Items(serializers.ListField):
    """The items of an order. Those beyond the limit are refused unseen: to look would be dear."""

    child = ItemSerializer()
    default_error_messages = {
        "not_a_list": "Must be a list",
        "empty": "Must not be empty",
        "required": "Is required",
        "null": "Must be a list",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_empty=False, max_length=limits.MAX_LINES, **options)

    def to_internal_value(self, data: Any) -> Any:
        """Return the items; too many is a fault beside those of the first ones."""
        if not isinstance(data, list) or len(data) <= limits.MAX_LINES:
            return super().to_internal_value(data)
        errors: dict[Any, Any] = {}
        try:
            super().to_internal_value(data[: limits.MAX_LINES])
        except ValidationError as exc:
            errors = dict(exc.detail) if isinstance(exc.detail, dict) else {}
        too_many = ErrorDetail(f"Must have {limits.MAX_LINES} items at most", "max_length")
        raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [too_many], **errors})


class OrderSerializer(Strict):
    """What a customer asks for. ``context["owner"]`` is the signed-in customer, if there is one."""

    fullName = Text(max_length=limits.NAME_LENGTH, source="full_name")
    email = Email(max_length=limits.EMAIL_LENGTH)
    address = Text(max_length=limits.ADDRESS_LENGTH)
    city = Text(max_length=limits.CITY_LENGTH)
    zipCode = Text(max_length=limits.ZIP_CODE_LENGTH, source="zip_code")
    # The clients of the service that this one replaces send null for a guest.
    userId = Text(max_length=100, source="customer_reference", required=False, allow_null=True)
    items = Items()

    def validate_userId(self, user_id: str | None) -> str:
        """Let a customer name nobody else: whose an order is comes from the credential."""
        owner: User | None = self.context["owner"]
        if user_id is None:
            return ""
        if owner is not None and user_id.lower() != str(owner.public_id):
            raise ValidationError("Must be your own, or left out", code="not_yours")
        return user_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Write the customer's own id on their order."""
        owner: User | None = self.context["owner"]
        if owner is not None:
            attrs["customer_reference"] = str(owner.public_id)
        return attrs


class StatusSerializer(Strict):
    """The state that an order shall be in."""

    status = Word(choices=list(OrderStatus))
    reason = Text(max_length=500, required=False)

    def faults_between(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse a reason where nobody would keep it."""
        others = [status for status in OrderStatus if status != OrderStatus.CANCELLED]
        if "reason" in data and data.get("status") in others:
            return {"reason": [ErrorDetail("Goes with CANCELLED only", "not_applicable")]}
        return {}
