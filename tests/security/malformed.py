"""Malformed requests of many kinds, generated: the same ones for the same seed."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.api.calls import ORDERS, body, item
from tests.security.callers import MADE_UP

TEXTS = [
    "", " ", "\x00", "\x7f", "\ud800", "\u202e", "\ufeff", "é", "😀" * 300, "x" * 70_000,
    "' OR 1=1 --", "{{7*7}}", "${x}", "%s%n", "../../etc/passwd", "<script>", "=cmd()",
    "a\r\nX: y", "\uff11", "null", "NaN", "-1", "1e999", "0x10",
    "9" * 400, "true", "[]", "{}", "\\", '"', "/", ".", "..",
]  # fmt: skip
VALUES: list[object] = [
    *TEXTS, None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, -(2**63), 10**400, [], {}, [[]],
    [None], {"x": 1}, ["x"] * 1000,
]  # fmt: skip
FIELDS = ["fullName", "email", "address", "city", "zipCode", "userId", "items"]
HEADERS = [
    "Authorization", "Idempotency-Key", "Content-Type", "Content-Length", "Content-Encoding",
    "Accept", "If-Match", "If-None-Match", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID",
    "Host", "Cookie", "Origin", "Transfer-Encoding", "Expect", "Range", "Accept-Language",
    "Referer",
]  # fmt: skip
PARAMETERS = [
    "page", "limit", "cursor", "sort", "status", "stock", "q", "email", "productId", "userId",
    "createdFrom", "createdTo", "minTotal", "maxTotal", "unknown",
]  # fmt: skip
PATHS = [
    ORDERS + "/{}", ORDERS + "/{}/status", ORDERS + "/{}/events", "/api/{}", "/{}", "/admin/{}",
    "/admin/orders/order/{}/change/", "/admin/orders/order/?q={}", "/admin/login/?next={}",
    "/static/{}", "/health/{}",
]  # fmt: skip
WHOLE = json.dumps(body())


@dataclass(frozen=True, slots=True)
class Case:
    """One request; ``raw`` is the whole of it where no client would send such."""

    kind: str
    method: str = "POST"
    path: str = ORDERS
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def sent(self, key: str) -> bytes:
        """Return the request's bytes; ``key`` is the API key of those that list or change."""
        if self.raw is not None:
            return self.raw
        headers = {"Host": "localhost", "Content-Type": "application/json"}
        if self.kind in ("parameter", "status"):
            headers["Authorization"] = f"Api-Key {key}"
        if "Transfer-Encoding" not in self.headers:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.path} HTTP/1.1", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers | self.headers).items()]
        head = "\r\n".join([*lines, "", ""])
        return head.encode("utf-8", "surrogatepass") + self.body


def cases(count: int, seed: int = 7) -> Iterator[Case]:
    """Yield that many: each kind's whole product in turn, and then bodies with bytes changed."""
    chance = random.Random(seed)
    known = [*_bodies(), *_requests(), *_statuses_and_tokens(), *_raw()]
    chance.shuffle(known)
    yield from known[:count]
    for _ in range(count - len(known)):
        yield Case("changed bytes", body=_changed(WHOLE.encode(), chance))


def _bodies() -> Iterator[Case]:
    for value in VALUES:
        for name in FIELDS:
            yield Case("field", body=_json(body(**{name: value}) | {name: value}))
        for name in ("productId", "quantity", "price"):
            yield Case("item", body=_json(body(items=[item() | {name: value}])))
        yield Case("unknown field", body=_json(body() | {str(value)[:200]: value}))
        yield Case("whole body", body=_json(value))
    for end in range(0, len(WHOLE), 3):
        yield Case("cut short", body=WHOLE[:end].encode())
    for depth in (10, 1000, 30_000):
        yield Case("nested", body=b"[" * depth + b"]" * depth)
        yield Case("nested", body=b'{"a":' * depth + b"1" + b"}" * depth)


def _requests() -> Iterator[Case]:
    for text in TEXTS:
        for name in HEADERS:
            yield Case("header", body=WHOLE[:-1].encode(), headers={name: text[:9000]})
            yield Case("header twice", "GET", headers={name: text[:50], name.lower(): "x"})
        quoted = quote(text[:1000].encode("utf-8", "surrogatepass"))
        for path in PATHS:
            yield Case("path", "GET", path.format(quoted))
            yield Case("path", "PATCH", path.format(quoted), _json({"status": "CONFIRMED"}))
        for name in PARAMETERS:
            yield Case("parameter", "GET", f"{ORDERS}?{name}={quoted}")
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "get", "X" * 30):
        for path in (ORDERS, f"{ORDERS}/{MADE_UP}", "/health", "/admin/login/", "/api"):
            yield Case("method", method, path, WHOLE.encode())


def _statuses_and_tokens() -> Iterator[Case]:
    for value in VALUES:
        for sent in ({"status": value}, {"status": "CANCELLED", "reason": value}, value):
            yield Case("status", "PATCH", f"{ORDERS}/{MADE_UP}/status", _json(sent))
        for name in ("username", "password", "code"):
            whole = {"username": "kim", "password": "x"} | {name: value}
            yield Case("token", "POST", "/api/auth/token", _json(whole))
        yield Case("token", "POST", "/api/auth/token/refresh", _json({"refresh": value}))


def _raw() -> Iterator[Case]:
    head = f"POST {ORDERS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    chunked = head + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for raw in (
        b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost\r\n\r\n", b"GET /health HTTP/1.1\nHost: localhost\n\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"Content-Length: +5\r\n\r\n12345",
        head + b"X:\x00y\r\n\r\n", head + b" folded\r\n\r\n",
        chunked + b"x\r\n\r\n", chunked + b"-1\r\n\r\n", chunked + b"2\r\n{}x\r\n0\r\n\r\n",
        chunked + b"ffffffffffffffff\r\n", chunked + b"2\r\n{}\r\n0\r\n\r\n",
    ):  # fmt: skip
        yield Case("raw", raw=raw)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _changed(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
