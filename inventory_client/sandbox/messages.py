"""Requests and responses, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNEXPECTED = "An unexpected error occurred"


@dataclass(frozen=True, slots=True)
class Request:
    """A received request; ``path`` is still percent-encoded, header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    trace_id: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to be sent as JSON."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the JSON bytes; raises ValueError on NaN and on a lone surrogate."""
        # The upstream's own encoder refuses these two, which is how echoing a bad input in a 422
        # becomes its 500. So the same settings here, and not the lenient defaults.
        text = json.dumps(self.document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


class Refusal(Exception):
    """A request that is answered with an error; ``detail`` is text, or a list of field errors."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


def unexpected(trace_id: str) -> Response:
    """Return the upstream's answer to its own failures."""
    document = {"detail": UNEXPECTED, "code": "UNEXPECTED_ERROR", "trace_id": trace_id}
    return Response(500, document)
