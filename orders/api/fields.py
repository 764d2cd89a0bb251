"""What a value may look like, in a body and in a query string."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from orders import limits

_PRICE = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_AMOUNT = 20  # characters


class Text(serializers.CharField):
    """A JSON string without control characters, trimmed, and not empty then."""

    default_error_messages = {
        "invalid": "Must be a string",
        "control_character": "Must not hold control characters",
        "blank": "Must not be empty",
        "max_length": "Must have {max_length} characters at most",
        "required": "Is required",
        "null": "Must be a string",
    }

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Refuse control characters also where trimming would take them away."""
        if isinstance(data, str) and limits.has_control_characters(data):
            self.fail("control_character")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        """Return the string trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data.strip()


class Email(Text, serializers.EmailField):
    """An e-mail address."""

    default_error_messages = {"invalid": "Must be a valid e-mail address"}


class ProductId(Text):
    """A product's id: something that can be printed, and named in a URL as it is."""

    default_error_messages = {
        "invalid_product_id": "Must be printable, not '.' or '..', without '/' and '\\'"
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the id trimmed."""
        product_id = super().to_internal_value(data)
        if not limits.is_product_id(product_id):
            self.fail("invalid_product_id")
        return product_id


class Quantity(serializers.IntegerField):
    """Pieces: a JSON integer, and nothing that might be taken for one; 2.0 is one, and is 2."""

    default_error_messages = {
        "invalid": "Must be an integer",
        "min_value": "Must be at least {min_value}",
        "max_value": "Must be at most {max_value}",
        "required": "Is required",
        "null": "Must be an integer",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=limits.MAX_QUANTITY, **options)

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if isinstance(data, Decimal) and data == data.to_integral_value():
            # Of 1e999999 there would be a million digits.
            return int(min(max(data, Decimal(-1)), Decimal(limits.MAX_QUANTITY + 1)))
        if type(data) is not int:
            self.fail("invalid")
        return data


class Price(serializers.Field[Decimal, Any, str, Any]):
    """An amount for one piece: a JSON number or a string, with 2 decimals at most."""

    default_error_messages = {
        "invalid": "Must be a number, or a string that holds one",
        "out_of_range": f"Must be from 0 to {limits.MAX_PRICE}",
        "max_decimal_places": "Must have 2 decimals at most",
        "required": "Is required",
        "null": "Must be a number, or a string that holds one",
    }

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the amount with exactly two decimals."""
        if type(data) is not int and not isinstance(data, str | Decimal):
            self.fail("invalid")
        if isinstance(data, str) and limits.has_control_characters(data):
            self.fail("invalid")
        try:
            return limits.price(data)
        except limits.PriceFault as fault:
            self.fail(fault.code)

    def to_representation(self, value: Decimal) -> str:
        """Return the amount as the API writes it."""
        return f"{value:.2f}"


class WholeNumber(serializers.IntegerField):
    """Digits in a query string."""

    default_error_messages = Quantity.default_error_messages

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not _WHOLE_NUMBER.fullmatch(data):
            self.fail("invalid")
        return int(data)


class Amount(serializers.Field[Decimal, str, str, Any]):
    """An amount of money in a query string."""

    default_error_messages = {"invalid": "Must be an amount, with 2 decimals at most"}

    def to_internal_value(self, data: str) -> Decimal:
        """Return the amount."""
        if len(data) > LONGEST_AMOUNT or not _PRICE.fullmatch(data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """Return the amount as the API writes it."""
        return f"{value:.2f}"


class Moment(serializers.Field[datetime, str, str, Any]):
    """A date or a time in a query string (ISO 8601); without an offset it is in UTC.

    A date stands for its first moment, or with ``last`` for its last one.
    """

    default_error_messages = {"invalid": "Must be a date or a time as in ISO 8601"}

    def __init__(self, *, last: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.time_of_a_date = time.max if last else time.min

    def to_internal_value(self, data: str) -> datetime:
        """Return the time in UTC: not every offset that ISO 8601 has is one to the database."""
        try:
            if _DATE.fullmatch(data):
                moment = datetime.combine(date.fromisoformat(data), self.time_of_a_date)
            elif "T" in data or " " in data:
                moment = datetime.fromisoformat(data)
            else:  # another way to write a date, which would be taken for its first moment
                self.fail("invalid")
        except ValueError:
            self.fail("invalid")
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:  # the first or the last hours that there are
            return moment.replace(tzinfo=UTC)

    def to_representation(self, value: datetime) -> str:
        """Return the time as ISO 8601."""
        return value.isoformat()


class Word(serializers.ChoiceField):
    """One of a few words, exactly as they are written."""

    default_error_messages = {
        "invalid_choice": "Must be one of {choices}",
        "required": "Is required",
        "null": "Must be a string",
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the word."""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return data
