"""An order, its items, and all that ever happened to it."""

import uuid
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from orders import limits
from orders.models.search import CUSTOMER
from orders.status import (
    OPEN,
    Door,
    EventKind,
    HoldReason,
    OrderStatus,
    PriceSource,
    StockState,
)


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Return an enumeration of words as Django's choices."""
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]


class Order(models.Model):
    """What a customer wants. ``orders.lifecycle`` is the only writer of status and stock state.

    The key is the number that people say aloud; it opens nothing. ``public_id`` is the API's id:
    whoever holds it may read a guest's order, so it stands in no log, no URL of the admin and no
    outgoing call.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    customer_reference = models.CharField(
        max_length=limits.REFERENCE_LENGTH,
        help_text="The API's userId. A label unless the order has an owner.",
    )
    full_name = models.CharField(max_length=limits.NAME_LENGTH)
    email = models.EmailField(max_length=limits.EMAIL_LENGTH)
    address = models.CharField(max_length=limits.ADDRESS_LENGTH)
    city = models.CharField(max_length=limits.CITY_LENGTH)
    zip_code = models.CharField(max_length=limits.ZIP_CODE_LENGTH)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=18, decimal_places=2)
    price_source = models.CharField(
        max_length=9,
        choices=choices(PriceSource),
        db_default=PriceSource.SENT,
        help_text="Whose word its prices are.",
    )
    status = models.CharField(
        max_length=9, choices=choices(OrderStatus), default=OrderStatus.PENDING
    )
    stock_state = models.CharField(
        max_length=8, choices=choices(StockState), default=StockState.CLEAR
    )
    stock_since = models.DateTimeField(db_default=Now())
    hold_reason = models.CharField(
        max_length=8,
        blank=True,
        choices=choices(HoldReason),
        db_default="",
        help_text="Why it must not be confirmed; empty when it may be.",
    )
    held_since = models.DateTimeField(null=True, blank=True)
    placed_from = models.CharField(
        max_length=32,
        blank=True,
        editable=False,
        db_default="",
        help_text="A keyed hash of the address that a guest ordered from; empty for others.",
    )
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; the API's ETag."
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("confirm_order", "Can confirm orders"),
            ("complete_order", "Can complete orders"),
            ("cancel_order", "Can cancel pending orders"),
            ("restock_order", "Can cancel confirmed orders, which restocks them"),
            ("hold_order", "Can keep orders from being confirmed, and release them"),
            ("amend_order", "Can correct lines and address of pending orders"),
            ("export_order", "Can export orders"),
            ("share_filter", "Can share saved filters of the order list"),
            ("review_stock", "Can decide whether a movement of unknown outcome was applied"),
        ]
        indexes = [
            models.Index("status", F("number").desc(), name="order_status_newest"),
            models.Index("owner", F("number").desc(), name="order_owner_newest"),
            models.Index(Upper("email"), F("number").desc(), name="order_email_folded"),
            models.Index(Upper("city"), F("number").desc(), name="order_city_folded"),
            models.Index("total", name="order_total"),
            models.Index("updated_at", name="order_updated"),
            GinIndex(
                # Each change is sorted in at once: a search never has to read a pile of them.
                OpClass(CUSTOMER, name="gin_trgm_ops"),
                name="order_customer_words",
                fastupdate=False,
            ),
            models.Index(
                "stock_state",
                F("number").desc(),
                name="order_stock_unclear",
                condition=~Q(stock_state=StockState.CLEAR),
            ),
            models.Index(F("number").desc(), name="order_on_hold", condition=~Q(hold_reason="")),
            models.Index(
                fields=["placed_from"],
                name="order_open_of_guest",
                condition=Q(status=OrderStatus.PENDING) & ~Q(placed_from=""),
            ),
            # The dashboard's: each holds all that its figure reads. The first also sorts lists.
            models.Index(
                fields=["created_at", "number"],
                include=["status", "currency", "total"],
                name="order_age",
            ),
            models.Index(
                fields=["status", "created_at"],
                name="order_open_oldest",
                condition=Q(status__in=OPEN),
            ),
            models.Index(
                fields=["stock_state", "stock_since"],
                name="order_stock_since",
                condition=~Q(stock_state=StockState.CLEAR),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(OrderStatus)), name="order_status"),
            models.CheckConstraint(
                condition=Q(stock_state__in=list(StockState)), name="order_stock_state"
            ),
            models.CheckConstraint(
                condition=Q(price_source__in=list(PriceSource)), name="order_price_source"
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(
                # Not bound to the status: the release before this one cancels what is on hold.
                condition=Q(hold_reason="", held_since=None)
                | Q(hold_reason__in=list(HoldReason), held_since__isnull=False),
                name="order_hold",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"


class OrderItem(models.Model):
    """Pieces of one product at one price; what is alike was merged when the order was placed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product_id = models.CharField(max_length=limits.PRODUCT_ID_LENGTH)
    quantity = models.PositiveIntegerField(help_text="Pieces.")
    unit_price = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "product_id", "unit_price"], name="one_item_per_product_and_price"
            ),
            models.CheckConstraint(
                # All the pieces of an order may be merged into one item.
                condition=Q(quantity__gte=1, quantity__lte=limits.MAX_PIECES),
                name="item_quantity",
            ),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="item_price_not_negative"),
        ]
        indexes = [
            models.Index("product_id", F("order").desc(), name="item_product_newest"),
            GinIndex(
                OpClass(Upper("product_id"), name="gin_trgm_ops"),
                name="item_product_words",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"

    @property
    def subtotal(self) -> Decimal:
        """Quantity times unit price, in the order's currency."""
        return self.quantity * self.unit_price


class OrderEvent(models.Model):
    """Something that happened to an order. Append-only: a trigger refuses updates and deletes.

    Carries no personal data, so that it can be kept when a customer's data is erased: an actor is
    ``user:<id>``, ``guest`` or ``system``.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=24, choices=choices(EventKind))
    from_status = models.CharField(max_length=9, blank=True)
    to_status = models.CharField(max_length=9, blank=True)
    actor = models.CharField(max_length=40)
    via = models.CharField(max_length=8, choices=choices(Door))
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.kind


class OrderNote(models.Model):
    """What staff write down about an order; it may name people, so it can be erased."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(max_length=limits.NOTE_LENGTH)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]
