"""Headers in odd forms: those that must be refused, and those that must change nothing."""

import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator

from tests.malformed.case import HOST, JSON, Case, Headers, Must, Site
from tests.malformed.values import ORDER

WHOLE = json.dumps(ORDER).encode()
ABSENT = "/api/orders/00000000-0000-4000-8000-000000000000"
NO_TYPES = ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/xml"]
NO_TYPES += ["multipart/form-data", "multipart/form-data; boundary="]
NO_TYPES += ["multipart/form-data; boundary=x", "application/json-patch+json"]
NO_TYPES += ["application/jsonp", "application/*", "*/*", "json", "/", "application/"]
NO_TYPES += ["application/json/x", "application json", "application\\json", "é", "\xff"]
NO_TYPES += ["application/json; charset=utf-16", "application/json; charset=latin-1", "x" * 8000]
NO_TYPES += ["application/json; charset=\xff", "application/json; charset=nonsense", ";", ","]
NO_TYPES += ["="]
NO_CODINGS = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "aws-chunked", "GZIP", "*"]
NO_CODINGS += ["x", "", "gzip, identity", "identity, gzip", "gzip;q=1", "\xff", "identity;"]
NO_CODINGS += ["x" * 8000]
NO_CREDENTIALS = ["", "Api-Key", "Api-Key ", "Api-Key x", "Api-Key .", "Api-Key a.b"]
NO_CREDENTIALS += ["Api-Key a.b.c", "Api-Key \xff\xfe", "Api-Key " + "x" * 8000]
NO_CREDENTIALS += ["Api-Key " + "a" * 8 + "." + "b" * 128, "Bearer", "Bearer x", "Bearer .."]
NO_CREDENTIALS += ["Bearer a.b.c", "Bearer a.b", "Bearer a.b.c.d.e", "Bearer \xff"]
NO_CREDENTIALS += ["Bearer =.=.=", "Bearer " + "x" * 8000, "Bearer null", "bearer a b", "Basic"]
NO_CREDENTIALS += ["Basic x", "Basic YWRtaW46YWRtaW4=", 'Digest username="x"', "Negotiate x"]
NO_CREDENTIALS += ["Token x", "x", "\xe9", ", ,", "Api-Key,Bearer", 'Api-Key "x"', "Api-Key\tx"]
NO_CREDENTIALS += ["é é"]
NO_TAGS = ["", "x", "1", '""', '"x"', 'W/"x"', "W/", "W/x", '"', '"x', 'x"', "\xff", '"\xff"']
NO_TAGS += ["**", "*, *", '"*"', '"a","b"', '"a" "b"', ",", '"' + "x" * 8000 + '"', '"a",' * 1000]
NO_TAGS += ["W/*"]
NO_HOSTS = ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "127.0.0.1:port"]
NO_HOSTS += ["127.0.0.1@evil.example", "evil.example@127.0.0.1", "127.0.0.1/x"]
NO_HOSTS += ["127.0.0.1, evil.example", "[::1", "::1", "[::1]", "localhost", "127.1"]
NO_HOSTS += ["2130706433", "127.0.0.1:80:80", "127.0.0.1 x", "\xff", "xn--", "a_b", "<script>"]
NO_HOSTS += ["x" * 4000, ".", "*", "127.0.0.1\\@x", "127.0.0.1#", "127.0.0.1?"]
NO_HOSTS += ["127.0.0.1%00", "127.0.0.1..x"]
NO_MEDIA = ["application/xml", "text/html", "text/*", "image/png", "application/vnd.api+json"]
NO_MEDIA += ["x/y", "application/jsonx", "text/html,application/xhtml+xml"]
NO_MEDIA += ["application/problem+xml"]
ODD_MEDIA = ["", "x", "/", "*", "*/", "/*", "a/b/c", ";;;", ",,,", "\xff", "*/*;q=x", "*/*;q=2"]
ODD_MEDIA += ["application/json;version=9", "*/*; indent=99999999999"]
ODD_MEDIA += ["application/json; indent=-1", "application/json; indent=1000000", "x" * 8000]
ODD_MEDIA += ["*/*," * 2000, "text/html;q=" + "1" * 999]
NO_ORIGINS = ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "x", "", "\xff"]
NO_ORIGINS += ["http://[", "http://127.0.0.1.evil.example", "https://[::1", "http://a:port"]
NO_ORIGINS += ["http://" + "x" * 4000]
ODD_IDS = ["", " ", "x" * 129, "x" * 8000, "a b", "\xe9", "a\tb", "<script>", '"', "%0d%0aX: y"]
ODD_IDS += ["{}"]
ODD_COOKIES = ["", "=", ";", "sessionid", "sessionid=", "sessionid=x"]
ODD_COOKIES += ["sessionid=\xff\xfe\xfd" * 4, f"sessionid={'x' * 32}", f"sessionid={'x' * 4000}"]
ODD_COOKIES += ['sessionid="', "sessionid=; =; ;;"]
ODD_COOKIES += ['sessionid="\\000\\000\\000\\000\\000\\000\\000\\000"']
ODD_COOKIES += ['sessionid="aaaaaaaa\\000"', 'sessionid="\\377\\376aaaaaaaaaa"']
ODD_COOKIES += ["sessionid=é" * 8, "a=b;" * 900, "$Version=1; x"]
ODD_COOKIES += ["messages=x; sessionid=' OR 1=1 --aaaa", "csrftoken=x", f"csrftoken={'x' * 4000}"]
ODD_COOKIES += ['csrftoken="\\000"', "sessionid=%00%00%00%00%00%00%00%00"]
ODD = {
    "X-Forwarded-For": ["x", "1.2.3.4, x", ",", "::ffff:1.2.3.4", "[::1]:80", "\xff", "1" * 8000],
    "X-Forwarded-Proto": ["x", "https, http", "\xff", ""],
    "X-Forwarded-Host": ["evil.example", "\xff", ""],
    "X-Forwarded-Port": ["x", "99999999"],
    "Forwarded": ["for=x;host=evil.example", "\xff"],
    "Accept-Language": ["x" * 8000, "\xff", ",,,", "en;q=x", "*;q=9", "a-b-c-d-e-f-g"],
    "Accept-Encoding": ["x", "gzip;q=x", "*;q=0", "\xff", "," * 4000],
    "Accept-Charset": ["utf-16", "\xff"],
    "If-None-Match": NO_TAGS,
    "If-Modified-Since": ["x", "Thu, 99 Foo 9999 99:99:99 GMT", "\xff", "-1", "9" * 400],
    "If-Unmodified-Since": ["x", "\xff"],
    "Range": [
        "bytes=",
        "bytes=-1",
        "bytes=9-1",
        "bytes=0-99999999999999999999",
        "x",
        "bytes=0-0," * 500,
    ],
    "Referer": ["x", "\xff", "http://[", "https://evil.example/" + "x" * 4000],
    "User-Agent": ["", "\xff", "x" * 8000, "() { :; }; echo x", "${jndi:ldap://x}", "%n%s"],
    "X-HTTP-Method-Override": ["DELETE", "PATCH", "\xff"],
    "X-CSRFToken": ["x", "\xff", "x" * 8000],
    "X-Requested-With": ["\xff", "XMLHttpRequest"],
    "HX-Request": ["true", "\xff"],
    "Upgrade": ["websocket", "h2c", "\xff"],
    "Max-Forwards": ["-1", "x"],
    "Via": ["\xff"],
    "Content-Location": ["\xff", "/admin/"],
    "Content-MD5": ["x"],
    "Digest": ["sha-256=x"],
    "Cache-Control": ["max-age=x", "\xff"],
    "Date": ["x"],
}


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield requests of which one header is odd."""
    yield from _of_bodies(site)
    yield from _idempotency_keys(chance)
    for tag in NO_TAGS:
        yield Case(
            kind="If-Match",
            what=tag[:40],
            method="PATCH",
            target=f"/api/orders/{site.order}/status",
            headers=(*JSON, *site.staff, ("If-Match", tag)),
            body=b'{"status":"CANCELLED"}',
        )
    yield from _credentials(chance, site)
    for host in NO_HOSTS:
        for target in ("/api/orders", "/health", "/track/x", "/admin/login/"):
            if host != "" or target != "/health":
                yield Case(kind="Host", what=host[:40], target=target, headers=(("Host", host),))
    for media in NO_MEDIA:
        for target in ("/api/orders", ABSENT):
            headers = (*site.staff, ("Accept", media))
            yield Case(kind="Accept", what=media, target=target, headers=headers)
    for media in ODD_MEDIA:
        headers = (*site.staff, ("Accept", media))
        yield _answered("Accept, odd", media, headers)
    yield from _origins()
    for odd in ODD_IDS:
        yield Case(
            kind="X-Request-ID", what=odd[:40], target=ABSENT, headers=(("X-Request-ID", odd),)
        )
    for odd in ODD_COOKIES:
        for target in ("/api/orders", "/admin/login/", "/track/x", "/admin/"):
            must = Must.BE_REFUSED if target == "/api/orders" else Must.BE_ANSWERED
            headers = (("Cookie", odd),)
            yield Case(kind="Cookie", what=odd[:60], target=target, headers=headers, must=must)
    for name, values in ODD.items():
        for value in values:
            headers = (*site.staff, (name, value))
            yield _answered("other headers", f"{name} {value[:40]}", headers)
            yield _answered("other headers", f"{name} {value[:40]}", ((name, value),), "/track/x")


def _answered(kind: str, what: str, headers: Headers, target: str = "/api/orders") -> Case:
    return Case(kind=kind, what=what, target=target, headers=headers, must=Must.BE_ANSWERED)


def _of_bodies(site: Site) -> Iterator[Case]:
    for content_type in NO_TYPES:
        for target in ("/api/orders", "/api/auth/token", "/api/auth/token/refresh"):
            yield Case(
                kind="Content-Type",
                what=content_type[:40],
                method="POST",
                target=target,
                headers=(("Content-Type", content_type),),
                body=WHOLE,
            )
    bodies = {
        "plain": WHOLE,
        "gzip": gzip.compress(WHOLE, mtime=0),
        "deflate": zlib.compress(WHOLE),
    }
    bodies["a bomb"] = gzip.compress(b" " * 10_000_000, mtime=0)
    for coding in NO_CODINGS:
        for name, body in bodies.items():
            yield Case(
                kind="Content-Encoding",
                what=f"{coding[:40]} of {name}",
                method="POST",
                headers=(*JSON, ("Content-Encoding", coding)),
                body=body,
            )


def _idempotency_keys(chance: random.Random) -> Iterator[Case]:
    keys = ["", "x" * 256, "x" * 257, "x" * 1000, "x" * 8000, "a\tb"]
    keys += [f"a{chr(code)}b" for code in range(0x80, 0x100)]
    for _ in range(20):
        text = [chr(chance.randint(0x80, 0xFF)) for _ in range(chance.randint(1, 255))]
        keys.append(f"k{''.join(text)}k")  # what is at the ends may count as a blank
    for key in keys:
        yield Case(
            kind="Idempotency-Key",
            what=repr(key[:40]),
            method="POST",
            headers=(*JSON, ("Idempotency-Key", key)),
            body=WHOLE,
        )


def _credentials(chance: random.Random, site: Site) -> Iterator[Case]:
    forged = [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": []},
        {"kid": "../x"},
        [],
        1,
    ]
    claims: object
    values = [*NO_CREDENTIALS, f"Api-Key {site.key}x", f"Api-Key {site.key[:-1]}", site.key]
    values += [f"ApiKey {site.key}", f"Bearer {site.key}", f"Api-Key {site.key.swapcase()}"]
    for header in forged:
        for claims in ({}, {"user_id": 1}, {"user_id": "x", "exp": "x"}, {"exp": 1e400}, [], None):
            parts = [_base64(json.dumps(header)), _base64(json.dumps(claims)), _base64("x")]
            values.append(f"Bearer {'.'.join(parts)}")
    for _ in range(40):
        noise = "".join(chr(chance.randint(0x21, 0xFF)) for _ in range(chance.randint(1, 80)))
        values.append(
            f"{chance.choice(['Api-Key', 'Bearer', 'Basic'])} {noise.replace(chr(0x7F), '')}"
        )
    for value in values:
        for target in ("/api/orders", f"/api/orders/{site.order}/status"):
            is_list = target == "/api/orders"
            yield Case(
                kind="Authorization",
                what=repr(value[:60]),
                method="GET" if is_list else "PATCH",
                target=target,
                headers=(*JSON, ("Authorization", value)),
                body=b"" if is_list else b'{"status":"CANCELLED"}',
            )


def _origins() -> Iterator[Case]:
    for origin in NO_ORIGINS:
        headers = (*JSON, ("Origin", origin))
        yield Case(kind="Origin", what=origin[:40], method="POST", headers=headers, body=b"{}")
        asked = (("Origin", origin), ("Access-Control-Request-Method", "PATCH"), ("Host", HOST))
        yield Case(
            kind="Origin",
            what=f"preflight {origin[:40]}",
            method="OPTIONS",
            headers=asked,
            must=Must.BE_ANSWERED,
        )


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
