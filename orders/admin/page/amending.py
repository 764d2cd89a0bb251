"""Correcting an order: the sheet with its contact and its lines, and what may be typed there."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.http import QueryDict

from orders import limits, queries
from orders.admin.base import EmailInput, FormSet, TextInput
from orders.lifecycle import Amendment, Item, lines
from orders.models import Order

SPARE_ROWS = 3  # empty ones, so that lines can be added without a script
CONTACT = ("full_name", "email", "address", "city", "zip_code")


class Text(forms.CharField):
    """A line of text without control characters, trimmed, and not empty then."""

    default_error_messages = {
        "control_character": "Must not hold control characters.",
        "required": "Must not be empty.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": TextInput} | options)

    def clean(self, value: Any) -> Any:
        """Refuse control characters also where trimming would take them away."""
        if isinstance(value, str) and limits.has_control_characters(value):
            raise ValidationError(self.error_messages["control_character"])
        return super().clean(value)


class Email(Text, forms.EmailField):
    """An e-mail address."""


class ProductId(Text):
    """A product's id."""

    default_error_messages = {
        "invalid": "Must be printable, not '.' or '..', without '/' and '\\'.",
    }

    def clean(self, value: Any) -> Any:
        """Return the id trimmed."""
        product_id = super().clean(value)
        if product_id and not limits.is_product_id(product_id):
            raise ValidationError(self.error_messages["invalid"])
        return product_id


class Price(forms.Field):
    """An amount for one piece."""

    default_error_messages = {
        "invalid": "Must be a number.",
        "out_of_range": f"Must be from 0 to {limits.MAX_PRICE}.",
        "max_decimal_places": "Must have 2 decimals at most.",
        "required": "Must not be empty.",
    }

    def to_python(self, value: Any) -> Decimal | None:
        """Return the amount with exactly two decimals."""
        typed = (value or "").strip()
        if not typed:
            return None
        try:
            return limits.price(typed)
        except limits.PriceFault as fault:
            raise ValidationError(self.error_messages[fault.code]) from fault

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether anything was typed."""
        return bool((data or "").strip())


class ContactForm(forms.Form):
    """Who ordered, where it goes, and the version of the order that the sheet showed."""

    expected_version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    full_name = Text(label="Name", max_length=limits.NAME_LENGTH)
    email = Email(label="E-mail", max_length=limits.EMAIL_LENGTH, widget=EmailInput)
    address = Text(label="Address", max_length=limits.ADDRESS_LENGTH)
    city = Text(label="City", max_length=limits.CITY_LENGTH)
    zip_code = Text(label="ZIP code", max_length=limits.ZIP_CODE_LENGTH)


class LineForm(forms.Form):
    """Pieces of one product at one price; a row of which nothing is filled in is no line."""

    product_id = ProductId(label="Product", max_length=limits.PRODUCT_ID_LENGTH)
    quantity = forms.IntegerField(
        label="Quantity",
        min_value=1,
        max_value=limits.MAX_PIECES,
        widget=TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"required": "Must not be empty."},
    )
    unit_price = Price(label="Price", widget=TextInput(attrs={"inputmode": "decimal"}))

    @property
    def item(self) -> Item | None:
        """Return the line, unless it is empty or shall go; the form must be valid."""
        line = self.cleaned_data
        if line.get("DELETE") or not line.get("product_id"):
            return None
        return Item(line["product_id"], line["quantity"], line["unit_price"])


class Lines(FormSet[LineForm]):
    """All lines of the order, and what they may come to together."""

    def add_fields(self, form: LineForm, index: int | None) -> None:
        """Name the box that removes a line."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove"

    def clean(self) -> None:
        """Refuse more pieces than the tables can add up."""
        if any(self.errors):
            return
        if sum(item.quantity for item in self.items) > limits.MAX_PIECES:
            raise ValidationError(f"An order has {limits.MAX_PIECES:,} pieces at most.")

    @property
    def items(self) -> list[Item]:
        """Return the lines that shall be; the forms must be valid."""
        return [item for form in self.forms if (item := form.item)]


# The factory's stubs promise a formset of Django's, and not the one that it is given.
LineForms: type[Lines] = formset_factory(  # type: ignore[assignment]
    LineForm,
    formset=Lines,
    extra=SPARE_ROWS,
    can_delete=True,
    min_num=1,
    validate_min=True,
    max_num=limits.MAX_LINES,
    validate_max=True,
    absolute_max=2 * limits.MAX_LINES,
)


class Sheet:
    """Contact and lines, as they are or as somebody typed them."""

    def __init__(self, contact: ContactForm, line_forms: Lines, now: Mapping[str, str]) -> None:
        self.contact = contact
        self.lines = line_forms
        self.now = now  # what the order says

    @property
    def fields(self) -> list[tuple[Any, str]]:
        """Return each field of the contact, with what the order says where that is another."""
        rows = []
        for name in CONTACT:
            field = self.contact[name]
            said = self.now[name]
            rows.append((field, said if field.value() != said else ""))
        return rows

    @property
    def version(self) -> int:
        """Return the version that the sheet showed; it must be valid."""
        version: int = self.contact.cleaned_data["expected_version"]
        return version

    def is_valid(self) -> bool:
        """Tell whether all of it can be saved; looks at both parts, so that every fault shows."""
        return all([self.contact.is_valid(), self.lines.is_valid()])

    def amendment(self) -> Amendment:
        """Return what was typed; it must be valid."""
        said = {name: self.contact.cleaned_data[name] for name in CONTACT}
        return Amendment(**said, items=self.lines.items)


def sheet(order: Order, sent: QueryDict | None = None, *, on_version: int | None = None) -> Sheet:
    """Return the order's sheet: as it was sent, or with what the order says.

    ``on_version`` is put in the place of the version that was sent.
    """
    now = {name: getattr(order, name) for name in CONTACT}
    if sent is None:
        contact = ContactForm(initial=now | {"expected_version": order.version})
        rows = [asdict(item) for item in lines.of(queries.items(order))]
        return Sheet(contact, LineForms(initial=rows, prefix="lines"), now)
    typed = sent.copy()
    if on_version is not None:
        typed["expected_version"] = str(on_version)
    return Sheet(ContactForm(typed), LineForms(typed, prefix="lines"), now)
