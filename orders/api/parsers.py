"""Reading a request's body: JSON, in full or not at all."""

import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser


class BodyTooLarge(APIException):
    """The body is longer than a caller may send."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        super().__init__(f"The body may be {limit} KiB long at most")


class StrictJSONParser(BaseParser):
    """Parses a JSON body with its numbers as ``int`` or ``Decimal``.

    Raises `BodyTooLarge`; `UnsupportedMediaType` for an encoded body, or one of a type with a
    wildcard; `ParseError` for what is cut short, no JSON by RFC 8259, in UTF-8, or means different
    things to different readers: NaN, a key given twice, half a surrogate pair.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return what the body says."""
        request = (parser_context or {})["request"]
        if request._request.content_type != self.media_type:  # REST framework lets */* match
            raise UnsupportedMediaType(request.content_type)
        encoding = request.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise UnsupportedMediaType("", "An encoded body is not understood; send it as it is")
        if request._request.content_params.get("charset", "utf-8").lower() != "utf-8":
            raise UnsupportedMediaType("", "JSON must be sent in UTF-8")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        length = int(request.META["CONTENT_LENGTH"])
        if length > limit:
            raise BodyTooLarge
        body = stream.read(limit + 1)
        if len(body) < length:  # its client has gone away; what has come may look like a whole
            raise ParseError("The body is shorter than its length says")
        return loads(body)


def loads(body: bytes) -> object:
    """Parse strict JSON; raise `ParseError` with a reason for people."""
    try:
        text = body.decode()
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_object
        )
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeError as exc:
        raise ParseError("The body must be valid Unicode in UTF-8") from exc
    except RecursionError as exc:
        raise ParseError("The body is nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise ParseError(f"Malformed JSON at line {exc.lineno}, column {exc.colno}") from exc
    except (ValueError, ArithmeticError) as exc:  # numbers of thousands of digits are among them
        raise ParseError("Malformed JSON: a number is out of all bounds") from exc
    return value


def admit_chunked(request: HttpRequest) -> None:
    """Let a body that comes in chunks be read: Django takes one without a length for none at all.

    A server that ends its input by itself says so; from any other it can't be read safely.
    """
    if request.META.get("HTTP_TRANSFER_ENCODING") and request.META.get("wsgi.input_terminated"):
        try:
            body = request.META["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        except Exception:  # chunks malformed or cut short: each server has an error of its own
            body = b"\0"  # which the parser refuses
        request.META["CONTENT_LENGTH"] = str(len(body))
        request._stream = io.BytesIO(body)


def _refuse(constant: str) -> NoReturn:
    raise ParseError(f"Malformed JSON: {constant} is no JSON number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ParseError("Malformed JSON: an object names a field twice")
    return members
