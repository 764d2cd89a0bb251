"""What is no HTTP, or lies about its length: gunicorn refuses most of it, and we the rest."""

import json
import random
from collections.abc import Iterator

from tests.malformed.case import HOST, Case, Must, Site
from tests.malformed.values import ORDER

WHOLE = json.dumps(ORDER).encode()
LENGTHS = ["-1", "+5", "abc", "1e3", "0x10", "5.0", "", "5, 5", "5 5", "\xb2", "9" * 400]
LENGTHS += [f"{2**63}"]
CODINGS = ["gzip", "x", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", ""]
CODINGS += ["\x0bchunked"]
CHUNKS: dict[str, bytes] = {
    "cut in a size": b"1",
    "cut in a chunk": b"ffff\r\n" + WHOLE,
    "cut after a chunk": b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE),
    "no size": b"\r\n\r\n",
    "a size of no number": b"zz\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nabc\r\n0\r\n\r\n",
    "a size beyond bounds": b"f" * 40 + b"\r\nabc\r\n0\r\n\r\n",
    "a size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk too long": b"2\r\nabc\r\n0\r\n\r\n",
    "a chunk too short": b"5\r\nabc\r\n0\r\n\r\n",
    "line feeds alone": b"3\nabc\n0\n\n",
    "an extension without end": b"3;" + b"x" * 10_000 + b"\r\nabc\r\n0\r\n\r\n",
    "trailers": b"3\r\nabc\r\n0\r\nX: y\r\nContent-Length: 5\r\n\r\n",
    "a bad trailer": b"3\r\nabc\r\n0\r\n\xff\x00\r\n\r\n",
    "no JSON": b"3\r\nabc\r\n0\r\n\r\n",
    "nothing": b"0\r\n\r\n",
    "a thousand chunks": b"1\r\n \r\n" * 1000 + b"0\r\n\r\n",
    "too much": (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 4 + b"0\r\n\r\n",
}
LINES = ["GET", "GET /api/orders", "GET  /api/orders HTTP/1.1", "GET /api/orders HTTP/9.9"]
LINES += [" GET / HTTP/1.1", "GET /api/orders HTTP/1.1 x", "GET /api/orders HTTP/x"]
LINES += ["GET /api/or ders HTTP/1.1", "\x00", "\xff", "get /api/orders HTTP/1.1"]
LINES += ["G\x00T / HTTP/1.1", "GET /" + "x" * 5000 + " HTTP/1.1", "HTTP/1.1 200 OK"]
LINES += ["GET /api/\x00 HTTP/1.1", "GET /api/\x7f HTTP/1.1", "GET api HTTP/1.1"]
LINES += ["CONNECT x:1 HTTP/1.1", "GET http://evil.example/api/orders HTTP/1.1", "GET * HTTP/1.1"]
LINES += ["OPTIONS * HTTP/1.1", "GET ? HTTP/1.1", "PRI * HTTP/2.0", "GET http:///api HTTP/1.1"]
LINES += ["GET http://[ HTTP/1.1", "GET # HTTP/1.1", "\t / HTTP/1.1"]
LINES += ["GET /api/orders/\xff HTTP/1.1", "GET /api/orders?q=\xc3\xa9 HTTP/1.1"]
LINES += ["X /api/orders HTTP/1.1"]
FIELDS = ["no colon", ": no name", "a b: c", "X\x00: y", "X: a\x00b", "X: a\x01b", "X: a\rb"]
FIELDS += [" folded: x", "X : y", "X: " + "y" * 9000, "Content_Length: 5", "Host: a\r\nHost: b"]
FIELDS += ["X: y\r\n  folded", "\xff: x", "X: \x7f", "Expect: x", "Expect: 100-continue"]
FIELDS += ["Connection: upgrade\r\nUpgrade: h2c", "X\t: y", "X: \x0c", "Cookie: a=\x0cb"]
FIELDS += ["\r\n".join(f"X-{n}: y" for n in range(100)), "Content-Length: 0\r\nContent-Length: 0"]


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield requests written by hand; each ends where the client stops sending."""
    for length in LENGTHS:
        yield _post("Content-Length", length[:20], f"Content-Length: {length}", WHOLE)
    for short in sorted(chance.sample(range(1, len(WHOLE)), 40)):
        line = f"Content-Length: {short}"
        yield _post("Content-Length", f"{short} of {len(WHOLE)}", line, WHOLE)
        line = f"Content-Length: {len(WHOLE)}"
        yield _post("Content-Length", f"{len(WHOLE)}, and {short} come", line, WHOLE[:short])
    line = f"Content-Length: {len(WHOLE) + 1}"
    yield _post("Content-Length", "one too many", line, WHOLE)
    two = f"Content-Length: {len(WHOLE)}\r\nContent-Length: 5"
    yield _post("Content-Length", "two", two, WHOLE)
    yield _post("Content-Length", "none", "X: y", WHOLE)
    for what, body in CHUNKS.items():
        yield _post("chunked", what, "Transfer-Encoding: chunked", body)
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(WHOLE), WHOLE)
    for cut in sorted(chance.sample(range(1, len(chunk) - 8), 30)):
        yield _post("chunked", f"cut at {cut}", "Transfer-Encoding: chunked", chunk[:cut])
    for coding in CODINGS:
        yield _post(
            "chunked", f"coding {coding}", f"Transfer-Encoding: {coding}", b"3\r\nabc\r\n0\r\n\r\n"
        )
    both = f"Transfer-Encoding: chunked\r\nContent-Length: {len(WHOLE)}"
    yield _post("chunked", "and a length", both, b"3\r\nabc\r\n0\r\n\r\n")
    for line in LINES:
        raw = f"{line}\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode("latin-1")
        yield _by_hand("request line", repr(line[:40]), raw)
    for field in FIELDS:
        head = f"GET /api/orders HTTP/1.1\r\nHost: {HOST}\r\n{field}\r\nConnection: close\r\n\r\n"
        yield _by_hand("header line", repr(field[:40]), head.encode("latin-1"))
    for number in range(60):
        noise = chance.randbytes(chance.randint(1, 400)) + b"\r\n\r\n"
        yield _by_hand("noise", f"{number}", noise)


def _post(kind: str, what: str, line: str, body: bytes) -> Case:
    head = f"POST /api/orders HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    raw = f"{head}{line}\r\nConnection: close\r\n\r\n".encode("latin-1") + body
    return _by_hand(kind, what, raw)


def _by_hand(kind: str, what: str, raw: bytes) -> Case:
    return Case(kind=f"HTTP: {kind}", what=what, raw=raw, must=Must.BE_NO_HTTP)
