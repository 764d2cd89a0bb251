"""What the order list can be narrowed to, and where in it one can go, as its address says it.

The names are the lookups that Django's own list would take, so that any link to it goes on working.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, make_aware

from orders.admin.base import Select, TextInput
from orders.models import Order
from orders.queries import OrderFilter, find_all
from orders.status import OrderStatus, StockState

YEARS = range(1970, 9999)  # within what a moment can be in every time zone
# Parameters that say how the list is shown, and not which orders are in it.
SHOWN_BY = frozenset({"o", "p", "e", "all", "below", "above", "at", "day", "number"})
DJANGO_OWN = frozenset({"_popup", "_to_field", "_facets"})


def words(choices: type[OrderStatus | StockState]) -> list[tuple[str, str]]:
    """Return an enumeration as the choices of a filter."""
    return [("", "Any"), *((each.value, each.value.capitalize()) for each in choices)]


class Day(forms.Field):
    """A date, or in a link a moment: the moment at which it begins."""

    widget = TextInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment; raise `ValidationError` for what is none."""
        text = (value or "").strip()
        if not text:
            return None
        try:
            day = parse_date(text)
            moment = datetime.combine(day, time()) if day else parse_datetime(text)
        except ValueError:  # 2026-02-30
            moment = None
        if moment is None or moment.year not in YEARS:
            raise forms.ValidationError("is no date; give one as 2026-01-31")
        if is_naive(moment):
            moment = make_aware(moment, get_current_timezone())
        return moment.astimezone(UTC)


class LastDay(Day):
    """A date that counts as a whole: the moment at which it is over."""

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment; the next instant for one that has a time."""
        moment = super().to_python(value)
        if moment is None:
            return None
        whole = parse_date(value.strip()) is not None
        return moment + (timedelta(days=1) if whole else timedelta(microseconds=1))


def amount(label: str) -> forms.DecimalField:
    """Return a field for an amount of money."""
    widget = TextInput(attrs={"inputmode": "decimal"})
    invalid = {"invalid": "is no amount"}
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=2,
        widget=widget,
        error_messages=invalid,
    )


def text(label: str, most: int) -> forms.CharField:
    """Return a field for some words; NUL is refused, as the database can't hold it."""
    return forms.CharField(label=label, required=False, max_length=most, widget=TextInput())


class FilterForm(forms.Form):
    """The filters of the order list; an address that names another is at fault."""

    status__exact = forms.ChoiceField(
        label="Status", required=False, choices=words(OrderStatus), widget=Select()
    )
    stock_state__exact = forms.ChoiceField(
        label="Stock", required=False, choices=words(StockState), widget=Select()
    )
    held_since__isnull = forms.ChoiceField(
        label="Hold",
        required=False,
        choices=[("", "Any"), ("False", "On hold"), ("True", "Not on hold")],
        widget=Select(),
    )
    created_at__gte = Day(label="Placed from", required=False)
    created_at__lte = LastDay(label="Placed until", required=False)
    created_at__lt = Day(label="Placed before", required=False)
    total__gte = amount("Total from")
    total__lte = amount("Total to")
    product = text("Product, exactly", 100)
    city = text("City", 100)
    q = text("Search", 200)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        for name, field in self.fields.items():
            # A moment in a link fits no date picker, which would drop it.
            if isinstance(field, Day) and "T" in self.data.get(name, "").upper():
                field.widget.attrs["type"] = "text"

    @property
    def shown(self) -> list[forms.BoundField]:
        """The fields of the filter panel; one that only links use when it is in use."""
        return [
            self[name]
            for name in self.fields
            if name != "q" and (name != "created_at__lt" or self.data.get(name))
        ]

    @property
    def in_use(self) -> dict[str, str]:
        """What the address narrows the list to, the search too."""
        given = {name: self.data.get(name, "").strip() for name in self.fields}
        return {name: value for name, value in given.items() if value}

    def in_words(self) -> dict[str, str]:
        """Return what each filter in use says: ``Status: Completed``."""
        said = {}
        for name, value in self.in_use.items():
            field = self.fields[name]
            shown = dict(field.widget.choices) if isinstance(field.widget, Select) else {}
            said[name] = f"{field.label}: {shown.get(value, value)}"
        return said

    def faults(self) -> list[str]:
        """Return what is wrong with the address, in sentences."""
        labels = {name: str(field.label) for name, field in self.fields.items()}
        found = [
            f"{labels[name]}: {' '.join(map(str, said))}" for name, said in self.errors.items()
        ]
        known = self.fields.keys() | SHOWN_BY | DJANGO_OWN
        found += [f"{name[:50]}: no such filter" for name in self.data if name not in known]
        return found

    def wanted(self) -> OrderFilter:
        """Return the filter that a valid form describes."""
        given: Mapping[str, Any] = self.cleaned_data
        ends = [each for each in (given["created_at__lte"], given["created_at__lt"]) if each]
        held = given["held_since__isnull"]
        return OrderFilter(
            status=given["status__exact"] or None,
            stock=given["stock_state__exact"] or None,
            on_hold=held == "False" if held else None,
            q=given["q"] or None,
            city=given["city"] or None,
            product_id=given["product"] or None,
            created_from=given["created_at__gte"],
            created_before=min(ends, default=None),
            min_total=given["total__gte"],
            max_total=given["total__lte"],
        )


def matching(orders: QuerySet[Order], query: QueryDict) -> QuerySet[Order]:
    """Return those of the orders that the list shows at an address, on all of its pages together.

    Raises `IncorrectLookupParameters` for an address at fault.
    """
    form = FilterForm(query)
    if faults := form.faults():
        raise IncorrectLookupParameters("; ".join(faults))
    return find_all(orders, form.wanted()).orders()
