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
    """What a customer asks for; `read_order` reads it."""

    fullName = Text(max_length=limits.NAME_LENGTH, source="full_name")
    email = Email(max_length=limits.EMAIL_LENGTH)
    address = Text(max_length=limits.ADDRESS_LENGTH)
    city = Text(max_length=limits.CITY_LENGTH)
    zipCode = Text(max_length=limits.ZIP_CODE_LENGTH, source="zip_code")
    # The clients of the service that this one replaces send null for a guest.
    userId = Text(
        max_length=limits.REFERENCE_LENGTH,
        source="customer_reference",
        required=False,
        allow_null=True,
    )
    items = Items()

    def validate_userId(self, user_id: str | None) -> str:
        """Take null for nobody."""
        return user_id or ""


_ORDER = OrderSerializer()  # one for all: it keeps nothing, and to make one is dear


def read_order(data: Any, *, owner: User | None) -> dict[str, Any]:
    """Return what a body asks for, as `orders.lifecycle.OrderDraft` takes it.

    ``owner`` is the signed-in customer, if there is one. Whose an order is comes from the
    credential: a customer may name nobody else. Raises `ValidationError` with every fault.
    """
    faults: dict[str, Any] = {}
    attrs: dict[str, Any] = {}
    try:
        attrs = _ORDER.run_validation(data)
    except ValidationError as exc:
        if not isinstance(exc.detail, dict):
            raise
        faults = dict(exc.detail)
    if owner is not None:
        mine = str(owner.public_id)
        named = data.get("userId") if isinstance(data, Mapping) else None
        if "userId" not in faults and isinstance(named, str) and named.strip().lower() != mine:
            faults["userId"] = [ErrorDetail("Must be your own, or left out", "not_yours")]
        attrs["customer_reference"] = mine
    if faults:
        raise ValidationError(faults)
    return attrs


class StatusSerializer(Strict):
    """The state that an order shall be in."""

    status = Word(choices=list(OrderStatus))
    reason = Text(max_length=limits.REASON_LENGTH, required=False)

    def faults_between(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse a reason where nobody would keep it."""
        others = [status for status in OrderStatus if status != OrderStatus.CANCELLED]
        if "reason" in data and data.get("status") in others:
            return {"reason": [ErrorDetail("Goes with CANCELLED only", "not_applicable")]}
        return {}
