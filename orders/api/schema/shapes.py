"""The shapes of the API's answers, as `orders.api.representation` makes them.

They describe and are never run; a test holds every answer of the API against them.
"""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from orders.status import Door, EventKind, OrderStatus, StockState

MONEY = r"^[0-9]{1,16}\.[0-9]{2}$"


class Shape(serializers.Serializer[Any]):
    """An object of which nothing more is said than its fields."""


class Shortage(Shape):
    """A product of which there is less than was asked for, in pieces."""

    productId = serializers.CharField()
    requested = serializers.IntegerField(min_value=1)
    available = serializers.IntegerField()


class PriceDifference(Shape):
    """A product whose price is not the one that was sent."""

    productId = serializers.CharField()
    sent = serializers.RegexField(MONEY)
    current = serializers.RegexField(
        MONEY, allow_null=True, help_text="null where the catalogue does not know the product."
    )


class Stock(Shape):
    """How an order stands with its stock."""

    state = serializers.ChoiceField(
        choices=list(StockState),
        help_text="`settling`: a confirmation or cancellation is on its way. `review`: a person"
        " must look. `short`: the last confirmation failed for want of stock.",
    )
    since = serializers.DateTimeField()
    items = Shortage(many=True, required=False, help_text="With `short` only.")


class Item(Shape):
    """Pieces of one product at one price."""

    id = serializers.CharField()
    productId = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    price = serializers.RegexField(MONEY)
    subtotal = serializers.RegexField(MONEY)


class Order(Shape):
    """An order, with its items in the order in which they were sent."""

    id = serializers.UUIDField(help_text="What a guest reads the order with: keep it secret.")
    number = serializers.RegexField(r"^[0-9]+$", help_text="For people; it opens nothing.")
    userId = serializers.CharField()
    fullName = serializers.CharField()
    email = serializers.CharField()
    address = serializers.CharField()
    city = serializers.CharField()
    zipCode = serializers.CharField()
    status = serializers.ChoiceField(choices=list(OrderStatus))
    stock = Stock()
    currency = serializers.CharField()
    total = serializers.RegexField(MONEY)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    items = Item(many=True)


class OrderPage(Shape):
    """A page of the list."""

    data = Order(many=True)
    total = serializers.IntegerField(min_value=0)
    page = serializers.IntegerField(
        min_value=1,
        allow_null=True,
        help_text="Behind a `cursor` the number that was asked for, or null.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=100)
    totalPages = serializers.IntegerField(min_value=0)
    totalIsEstimate = serializers.BooleanField(
        required=False, help_text="Present, and true, when `total` was not counted to its end."
    )


class Event(Shape):
    """Something that happened to an order."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=list(EventKind))
    fromStatus = serializers.ChoiceField(choices=list(OrderStatus), allow_null=True)
    toStatus = serializers.ChoiceField(choices=list(OrderStatus), allow_null=True)
    actor = serializers.CharField(help_text="To customers only what somebody is, as `staff`.")
    via = serializers.ChoiceField(choices=list(Door))
    data = serializers.DictField(help_text="What there is to know of an event of this kind.")


class Note(Shape):
    """What staff wrote down about an order."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    author = serializers.CharField(allow_null=True)
    text = serializers.CharField()


class Timeline(Shape):
    """All that happened to an order, oldest first."""

    data = Event(many=True)
    notes = Note(many=True, required=False, help_text="To staff only.")


class Tokens(Shape):
    """A token to call with (`Authorization: Bearer …`), and one to renew both with."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expiresIn = serializers.IntegerField(min_value=0, help_text="Seconds, of `access`.")


class Fault(Shape):
    """One thing that is wrong with a request."""

    field = serializers.CharField(help_text="As `items[0].quantity`; empty for the whole body.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Shape):
    """What went wrong (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField()
    instance = serializers.CharField(
        allow_null=True, help_text="The request's id, as in `X-Request-ID`: quote it to support."
    )
    code = serializers.CharField(help_text="Stable, for machines.")
    errors = Fault(many=True, required=False, help_text="With `invalid`: every fault at once.")
    items = PolymorphicProxySerializer(
        "ProblemItem",
        [Shortage, PriceDifference],
        resource_type_field_name=None,
        many=True,
        required=False,
        help_text="With `insufficient_stock` and `price_changed`.",
    )
