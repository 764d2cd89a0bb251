"""Bodies that are no JSON, or not the same JSON to every reader; and bodies beyond all bounds."""

import json
import random
from collections.abc import Iterator

from tests.malformed.case import JSON, Case, Site
from tests.malformed.values import CANCELLATION, ORDER, SIGN_IN, Named, written

WHOLE = json.dumps(ORDER).encode()
STRUCTURE = b'{}[]:,"'
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig", "cp500"]
NO_UTF8 = [b"\xff", b"\xfe\xff", b"\x80", b"\xc0\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xe9"]
NO_UTF8 += [b"\xc3", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80"]
NO_UTF8 += [b"\xf8\x88\x80\x80\x80", b"\xf0\x9f"]
NO_NUMBERS = ["01", "+1", ".5", "1.", "0x10", "1e", "1e+", "1_000", "--1", "1 1", "٣", "1,5"]
NO_NUMBERS += ["NaN", "Infinity", "-Infinity", "nan", "undefined", "None", "True"]
NO_NUMBERS += ["1e" + "9" * 30, "-", "9" * 5000, "-" + "9" * 5000, "0." + "9" * 60_000 + "e"]
NO_NUMBERS += ["1e-" + "9" * 30]


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield malformed bodies of an order, and some of the other calls."""
    made = {
        "cut short": ((f"{n} bytes", WHOLE[:n]) for n in range(1, len(WHOLE))),
        "mutated": _mutated(chance),
        "encodings": _encodings(),
        "numbers": _numbers(),
        "doubled fields": _doubled(),
        "nesting": _nested(),
        "other syntax": _others(),
        "too large": _large(),
    }
    for kind, bodies in made.items():
        for what, body in bodies:
            yield Case(kind=f"JSON: {kind}", what=what, method="POST", headers=JSON, body=body)
    wholes = {
        "/api/auth/token": ("POST", json.dumps(SIGN_IN).encode()),
        "/api/auth/token/refresh": ("POST", b'{"refresh":"x.y.z"}'),
        f"/api/orders/{site.order}/status": ("PATCH", json.dumps(CANCELLATION).encode()),
    }
    for target, (method, whole) in wholes.items():
        wrong = [(f"{n} bytes", whole[:n]) for n in range(1, len(whole))]
        wrong += [
            ("latin-1", whole[:-2] + b'\xe9"}'),
            ("twice", whole * 2),
            ("NUL", whole + b"\0"),
        ]
        wrong += _nested()
        for what, body in wrong:
            yield Case(
                kind="JSON: other calls",
                what=what,
                method=method,
                target=target,
                headers=(*JSON, *(site.staff if method == "PATCH" else ())),
                body=body,
            )


def _mutated(chance: random.Random) -> Iterator[Named]:
    """Yield bodies with bytes changed, taken out and put in, as far as none is JSON any more."""
    places = [at for at, byte in enumerate(WHOLE) if byte in STRUCTURE]
    made = 0
    while made < 300:
        body = bytearray(WHOLE)
        for _ in range(chance.randint(1, 3)):
            at = chance.choice(places)
            match chance.randrange(3):
                case 0:
                    body[at] = chance.choice(STRUCTURE)
                case 1:
                    body[at : at + 1] = b""
                case 2:
                    body[at:at] = bytes([chance.randrange(256)])
        if not _is_json(bytes(body)):
            made += 1
            yield f"mutation {made}", bytes(body)
    for number in range(100):
        yield f"noise {number}", b"{" + chance.randbytes(chance.randint(1, 300))


def _encodings() -> Iterator[Named]:
    for encoding in ENCODINGS:
        yield encoding, WHOLE.decode().encode(encoding)
    for wrong in NO_UTF8:
        for name in (b"John", b"Spring", b"user", b"fullName", b"123"):
            yield f"{wrong!r} in {name!r}", WHOLE.replace(name, name + wrong, 1)
        yield f"{wrong!r} first", wrong + WHOLE


def _numbers() -> Iterator[Named]:
    for number in NO_NUMBERS:
        for field in ("items.quantity", "items.price", "zipCode"):
            yield f"{field} {number[:40]}", written(ORDER, field, number)
        yield f"the body {number[:40]}", number.encode()


def _doubled() -> Iterator[Named]:
    text = WHOLE.decode()
    for name in (*ORDER, *ORDER["items"][0]):
        yield f"{name} twice", text.replace(f'"{name}":', f'"{name}":"x","{name}":', 1).encode()
        escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
        doubled = text.replace(f'"{name}":', f'"{escaped}":"x","{name}":', 1)
        yield f"{name} twice, once escaped", doubled.encode()


def _nested() -> Iterator[Named]:
    for depth in (50, 500, 5_000, 10_000, 30_000):
        yield f"{depth} lists", b"[" * depth + b"]" * depth
        yield f"{depth} lists, open", b"[" * depth
        if depth <= 10_000:
            yield f"{depth} objects", b'{"a":' * depth + b"1" + b"}" * depth
            nested = "[" * depth + "]" * depth
            yield f"{depth} lists as items", written(ORDER, "items", nested)
            yield f"{depth} lists as a name", written(ORDER, "fullName", nested)


def _others() -> Iterator[Named]:
    text = WHOLE.decode()
    for place in (",}", ", }", ",]"):
        yield f"ends in {place}", (text[:-1] + place).encode()
    for more in ("{}", "x", "\x00", ";", "//", "]", "}", "\x1a", "null", text):
        yield f"and {more[:10]!r}", (text + more).encode()
        if not _is_json((more + text).encode()):
            yield f"{more[:10]!r} first", (more + text).encode()
    swapped = {
        "single quotes": text.replace('"', "'"),
        "no quotes": text.replace('"', ""),
        "curly quotes": text.replace('"', "“"),
        "comments": text.replace(":", ":/* */", 1),
        "line comment": "// order\n" + text,
        "equals": text.replace(":", "="),
        "semicolons": text.replace(",", ";"),
        "bad escape": text.replace("John", "\\x4aohn"),
        "bad unicode escape": text.replace("John", "\\u12"),
        "newline in a text": text.replace("John", "John\n"),
        "a form": "fullName=John&email=john@example.com",
        "XML": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><order>&a;</order>',
        "YAML": "fullName: John\nitems: !!python/object/apply:os.system [id]\n",
        "a JSON string of it": json.dumps(text),
        "base64": "eyJmdWxsTmFtZSI6IkpvaG4ifQ==",
        "NUL": "\x00" * 100,
        "spaces": " " * 1000,
        "no-break spaces": text.replace(" ", "\u00a0").replace(",", "\u00a0,"),
    }
    for what, body in swapped.items():
        yield what, body.encode()


def _large() -> Iterator[Named]:
    for length in (64 * 1024 + 1, 64 * 1024 + 2, 100_000, 300_000, 1_000_000):
        yield f"{length} bytes of blanks", WHOLE.ljust(length)
        yield f"{length} bytes of text", written(ORDER, "address", f'"{"x" * length}"')
        yield f"{length} bytes of NUL", b"\0" * length


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode())
    except ValueError:
        return False
    return True
