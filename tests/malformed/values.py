"""Values that a field of a JSON body must not have, written as JSON, each with its name."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from tests.malformed.case import JSON, Case, Headers, Site

Named = tuple[str, bytes]

ORDER: dict[str, Any] = {
    "fullName": "John Doe",
    "email": "john@example.com",
    "address": "123 Main St",
    "city": "Springfield",
    "zipCode": "12345",
    "userId": "user123",
    "items": [{"productId": "10", "quantity": 2, "price": 50}],
}
SIGN_IN = {"username": "nobody", "password": "wrong", "code": "123456"}
REFRESH = {"refresh": "x.y.z"}
CANCELLATION = {"status": "CANCELLED", "reason": "No longer wanted"}

# Texts by field, with the most characters that each may have.
ORDERS = {
    "fullName": 200,
    "email": 254,
    "address": 500,
    "city": 100,
    "zipCode": 20,
    "userId": 100,
    "items.productId": 100,
}
SIGN_INS = {"username": 150, "password": 1024, "code": 40}

CONTROL = [*range(0x20), *range(0x7F, 0xA0)]
UNPRINTABLE = [0xA0, 0xAD, 0x200B, 0x200E, 0x2028, 0x2029, 0x202E, 0x3000, 0xE000, 0xFEFF, 0xFFFF]
NO_STRINGS = ["null", "true", "false", "0", "-1", "1.5", "1e400", "9" * 400, "[]", "{}", '["x"]']
NO_STRINGS += ['{"x":1}', "[[]]", "[null]", '{"$ne":null}']
NO_QUANTITIES = ["null", "true", "false", '"1"', '""', "1.5", "1e-1", "[]", "{}", "[1]"]
NO_QUANTITIES += ["0", "-0", "-1", "1000001", f"{2**31}", f"{2**63 - 1}", f"{2**63}"]
NO_QUANTITIES += [f"{-(2**63)}", f"{2**64}", "1" + "0" * 400, "-1" + "0" * 400, "1e1000", "NaN"]
NO_QUANTITIES += ["Infinity"]
NO_PRICES = ["null", "true", "false", "[]", "{}", "[1]", "-1", "-0.01", "0.001", "1e-3"]
NO_PRICES += ["1e-999999", "10000000", "9999999.991", "1e400", "1e999999", f"{2**63}", "NaN"]
NO_PRICES += ["-Infinity"]
NO_PRICES += [f'"{text}"' for text in ("", " ", "x", "-1", "0.001", "1e2", "1_0", "$5", "5,00")]
NO_PRICES += [f'"{text}"' for text in ("NaN", "Infinity", "٣", "1.", ".5", "0x10", "10000000.00")]
NO_LISTS = ["null", "true", "0", '"x"', '"[]"', "{}", '{"0":{}}', "[]", "[null]", "[1]", '["x"]']
NO_LISTS += ["[[]]", "[{}]", "[[[[]]]]", "[true,false]"]
NO_EMAILS = ["a", "@", "a@", "@b.com", "a@b", "a@@b.com", "a b@c.com", "a@b..com", "a@-b.com"]
NO_EMAILS += ["<a@b.com>", "a@b.com, c@d.com", "a@b.c", "a@b_c.com", "é@b.com", "a@[1.2.3.4"]
NO_EMAILS += ["a@."]
NO_FIELDS = ["status", "total", "id", "number", "currency", "owner", "createdAt", "stock"]
NO_FIELDS += ["subtotal", "full_name", "FullName", "fullname", " fullName", "fullName ", "", " "]
NO_FIELDS += [".", "items[0]", "__proto__", "constructor", "__class__", "pk"]
NO_FIELDS += ["csrfmiddlewaretoken", "x" * 1000, "\x00", "\n", "é", "日本", "😀", "\u202e", "a.b"]
NO_FIELDS += ["a[b]", "$where", "%s", "{0}"]
NO_STATES = ["", " ", "confirmed", "Confirmed", "CONFIRMED ", " CONFIRMED", "SHIPPED", "null"]
NO_STATES += ["0", "CONFIRMED\u0000", "\uff23ONFIRMED", "CONFIRMED,COMPLETED", "x" * 10_000]
NO_STATES += ["DROP TABLE"]


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield every field of every body with every value that it must not have."""
    places: list[tuple[str, str, str, Headers, dict[str, Any], dict[str, int]]] = [
        ("order", "POST", "/api/orders", JSON, ORDER, ORDERS),
        ("sign-in", "POST", "/api/auth/token", JSON, SIGN_IN, SIGN_INS),
        ("refresh", "POST", "/api/auth/token/refresh", JSON, REFRESH, {"refresh": 4096}),
        (
            "status",
            "PATCH",
            f"/api/orders/{site.order}/status",
            (*JSON, *site.staff),
            CANCELLATION,
            {"status": 20, "reason": 500},
        ),
    ]
    for name, method, target, headers, whole, texts in places:
        made = {
            "wrong types": list(_types(whole, texts)),
            "lengths": list(_lengths(whole, texts)),
            "characters": list(_characters(chance, whole, texts)),
            "fields": list(_fields(chance, whole)),
        }
        if whole is ORDER:
            made["boundaries"] = list(_boundaries())
            made["many at once"] = list(_many(chance))
        if whole is CANCELLATION:
            made["words"] = list(_words())
        for kind, bodies in made.items():
            for what, body in bodies:
                yield Case(
                    kind=f"{name}: {kind}",
                    what=what,
                    method=method,
                    target=target,
                    headers=headers,
                    body=body,
                )


def written(whole: dict[str, Any], field: str, value: str) -> bytes:
    """Return a body in which the field has the value that is written so; ``items.x`` is in a line.

    A surrogate stands for itself, as three bytes that are no UTF-8.
    """
    changed = copy.deepcopy(whole)
    place = changed["items"][0] if field.startswith("items.") else changed
    place[field.removeprefix("items.")] = "\ue123"
    text = json.dumps(changed, ensure_ascii=False).replace('"\ue123"', value)
    return text.encode("utf-8", "surrogatepass")


def _types(whole: dict[str, Any], texts: dict[str, int]) -> Iterator[Named]:
    for field in texts:
        for value in NO_STRINGS:
            if (field, value) != ("userId", "null"):
                yield f"{field} {value[:40]}", written(whole, field, value)
    for value in ("null", "true", "1", '"x"', "[]", "[{}]", "[[]]", '[{"status":"CONFIRMED"}]'):
        yield f"body {value}", value.encode()


def _lengths(whole: dict[str, Any], texts: dict[str, int]) -> Iterator[Named]:
    for field, most in texts.items():
        for length in (most + 1, most + 2, 2 * most, 10 * most, 60_000):
            for letter in ("x", "é", "😀"):
                if length * len(letter.encode()) < 64_000:
                    value = json.dumps(letter * length, ensure_ascii=False)
                    yield f"{field} {length} of {letter}", written(whole, field, value)
        for blank in ("", " ", "    ", "\u2003", "\u00a0"):
            if field not in ("password", "refresh") or not blank:
                yield f"{field} blank", written(whole, field, json.dumps(blank))


def _characters(
    chance: random.Random, whole: dict[str, Any], texts: dict[str, int]
) -> Iterator[Named]:
    for field in texts:
        for code in CONTROL if field not in ("password", "refresh") else [0]:
            at = chance.randint(0, 4)
            escaped = f'"{"John"[:at]}\\u{code:04x}{"John"[at:]}"'
            yield f"{field} U+{code:04X} escaped", written(whole, field, escaped)
            raw = f'"Jo{chr(code)}hn"'
            yield f"{field} U+{code:04X}", written(whole, field, raw)
        for _ in range(6):
            half = chance.randint(0xD800, 0xDFFF)
            yield f"{field} U+{half:X} escaped", written(whole, field, f'"Jo\\u{half:04x}hn"')
            yield f"{field} U+{half:X}", written(whole, field, f'"Jo{chr(half)}hn"')
    if whole is ORDER:
        for code in (*UNPRINTABLE, ord("/"), ord("\\")):
            value = json.dumps(f"1{chr(code)}0")
            yield f"product U+{code:04X}", written(whole, "items.productId", value)


def _boundaries() -> Iterator[Named]:
    wrong = {
        "items.quantity": NO_QUANTITIES,
        "items.price": NO_PRICES,
        "items": NO_LISTS,
        "items.productId": ['"."', '".."', '" . "'],
        "email": [json.dumps(text) for text in NO_EMAILS],
    }
    for field, values in wrong.items():
        for value in values:
            yield f"{field} {value[:40]}", written(ORDER, field, value)
    for count in (101, 102, 500, 1000):
        yield f"{count} items", written(ORDER, "items", json.dumps(ORDER["items"] * count))


def _fields(chance: random.Random, whole: dict[str, Any]) -> Iterator[Named]:
    for field in (name for name in whole if name not in ("userId", "code", "reason")):
        yield f"no {field}", _dumped({name: whole[name] for name in whole if name != field})
    for _ in range(20):
        length = chance.randint(1, 30)
        name = "".join(chr(chance.randint(0x21, 0x2FFF)) for _ in range(length))
        yield f"a field {name!r}", _dumped(whole | {name: chance.choice([1, None, "x"])})
    for name in NO_FIELDS:
        if name not in whole:
            yield f"a field {name[:40]!r}", _dumped(whole | {name: "CONFIRMED"})
    for count in (100, 3000):
        yield f"{count} fields", _dumped(whole | {f"x{number}": 1 for number in range(count)})
    for line in whole.get("items", []):
        for field in line:
            rest = {name: line[name] for name in line if name != field}
            yield f"no {field} of an item", _dumped(whole | {"items": [rest]})
        for name in NO_FIELDS:
            yield f"{name[:40]!r} of an item", _dumped(whole | {"items": [line | {name: 1}]})


def _many(chance: random.Random) -> Iterator[Named]:
    values = dict.fromkeys(ORDERS, NO_STRINGS[1:])
    values |= {"items.quantity": NO_QUANTITIES, "items.price": NO_PRICES}
    for _ in range(200):
        fields = chance.sample(list(values), chance.randint(2, 6))
        marked = copy.deepcopy(ORDER)
        for number, field in enumerate(fields):
            place = marked["items"][0] if field.startswith("items.") else marked
            place[field.removeprefix("items.")] = f"\ue123{number}"
        text = json.dumps(marked, ensure_ascii=False)
        for number, field in enumerate(fields):
            text = text.replace(f'"\ue123{number}"', chance.choice(values[field]))
        yield " and ".join(fields), text.encode()


def _words() -> Iterator[Named]:
    for word in NO_STATES:
        yield f"status {word[:40]!r}", _dumped({"status": word})
    for status in ("PENDING", "CONFIRMED", "COMPLETED"):
        yield f"a reason to be {status}", _dumped({"status": status, "reason": "x"})


def _dumped(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
