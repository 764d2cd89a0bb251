"""Bodies and fields read as the upstream's framework reads them: coercing where it coerces."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from inventory_client.sandbox.messages import Refusal, Request

_LAX_INTEGER = re.compile(r"[+-]?\d+(\.0+)?")


class Fields:
    """Reads fields out of one JSON object, gathering an error for each that does not fit."""

    def __init__(self, value: Any, at: tuple[str | int, ...] = ("body",)) -> None:
        self._at = at
        self._errors: list[dict[str, Any]] = []
        self._values: dict[str, Any] = value if isinstance(value, dict) else {}
        self._whole = isinstance(value, dict)
        if not self._whole:
            self._error("model_attributes_type", at, "Input should be a valid dictionary", value)

    def integer(self, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int:
        """Read an integer; takes ``"-1"``, ``-1.0`` and ``true`` for one, as the upstream does."""
        found = self._present(name)
        if found is None:
            return 0
        value = found[0]
        number = lax_integer(value)
        at = (*self._at, name)
        if number is None:
            kind = "finite_number" if isinstance(value, float) else "int_parsing"
            self._error(kind, at, "Input should be a valid integer", value)
            return 0
        if minimum is not None and number < minimum:
            message = f"Input should be greater than or equal to {minimum}"
            self._error("greater_than_equal", at, message, value)
        if maximum is not None and number > maximum:
            message = f"Input should be less than or equal to {maximum}"
            self._error("less_than_equal", at, message, value)
        return number

    def text(self, name: str, *, minimum: int = 0) -> str:
        """Read a text of at least ``minimum`` characters; nothing is coerced to text."""
        found = self._present(name)
        if found is None:
            return ""
        value = found[0]
        at = (*self._at, name)
        if not isinstance(value, str):
            self._error("string_type", at, "Input should be a valid string", value)
            return ""
        if any("\ud800" <= character <= "\udfff" for character in value):
            self._error("string_unicode", at, "Input should be a valid string", value)
        elif len(value) < minimum:
            message = f"String should have at least {minimum} character"
            self._error("string_too_short", at, message, value)
        return value

    def objects(self, name: str) -> list[Fields]:
        """Read a list of one or more objects."""
        found = self._present(name)
        if found is None:
            return []
        value = found[0]
        at = (*self._at, name)
        if not isinstance(value, list):
            self._error("list_type", at, "Input should be a valid list", value)
            return []
        if not value:
            self._error("too_short", at, "List should have at least 1 item", value)
        return [Fields(item, (*at, position)) for position, item in enumerate(value)]

    def take(self, other: Fields) -> None:
        """Count another object's errors as this one's."""
        self._errors += other._errors

    def refuse_errors(self) -> None:
        """Raise Refusal 422 with all errors, if there are any."""
        if self._errors:
            raise Refusal(422, self._errors)

    def _present(self, name: str) -> tuple[Any] | None:
        if name in self._values:
            return (self._values[name],)
        if self._whole:
            self._error("missing", (*self._at, name), "Field required", self._values)
        return None

    def _error(self, kind: str, at: tuple[str | int, ...], message: str, value: Any) -> None:
        self._errors.append({"type": kind, "loc": list(at), "msg": message, "input": value})


def body(request: Request) -> Fields:
    """Parse a JSON body; raises Refusal with the upstream's status for each way to be wrong."""
    content_type = request.headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return Fields(request.body.decode(errors="replace"))
    if not request.body:
        raise Refusal(422, [_body_error("missing", "Field required", None)])
    try:
        return Fields(json.loads(request.body))
    except json.JSONDecodeError as exc:
        raise Refusal(422, [_body_error("json_invalid", "JSON decode error", exc.msg)]) from exc
    except (ValueError, RecursionError) as exc:  # not UTF-8; a number of 5,000 digits
        raise Refusal(400, "There was an error parsing the body") from exc


def lax_integer(value: Any) -> int | None:
    """Return the integer that the upstream would take ``value`` for, or None."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, str) and len(value) < 4300 and _LAX_INTEGER.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    return None


def _body_error(kind: str, message: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "loc": ["body"], "msg": message, "input": value}
