"""Sign-ins that go wrong: at the admin's page, at the customers', and for tokens."""

import json
import random
from collections.abc import Iterator
from urllib.parse import urlencode

from tests.malformed.case import FORM, JSON, Case, Must, Site

PAGES = ("/admin/login/", "/track/sign-in")
TOKEN = "t" * 32  # a browser's, which the form repeats
COOKIE = (("Cookie", f"csrftoken={TOKEN}"),)
NAMES = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "x" * 151,
    "x" * 60_000,
    "\ud800".encode("utf-8", "replace").decode(),
]
NO_TOKENS = ["", "x", "t" * 31, "t" * 33, "é" * 32, "\x00" * 32, "u" * 32, "t" * 64, "t" * 10_000]
NO_FORMS: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"%ff=%fe&%00=%00"),
    ("application/x-www-form-urlencoded", b"a&" * 1001),
    ("application/x-www-form-urlencoded", b"\xff\xfe" * 100),
    ("application/x-www-form-urlencoded", b"=" * 60_000),
    ("application/x-www-form-urlencoded; charset=utf-7", b"username=x"),
    ("application/x-www-form-urlencoded; charset=nonsense", b"username=x"),
    ("application/x-www-form-urlencoded", b"x" * 70_000),
    ("multipart/form-data", b"--x\r\n"),
    ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=\xff", b"--\xff\r\n"),
    ("multipart/form-data; boundary=x", b"--x"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a\r\n\r\nb\r\n',
    ),
    ("multipart/form-data; boundary=" + "x" * 4000, b"--" + b"x" * 4000),
    ("multipart/form-data; boundary=x; charset=nonsense", b"--x--\r\n"),
    ("application/json", b'{"username":"x"}'),
    ("text/plain", b"username=x"),
    ("", b"username=x"),
    ("\xff", b"username=x"),
]
WHOLE_PART = (
    b'--x\r\nContent-Disposition: form-data; name="a"; filename="%s"\r\n%s\r\nx\r\n--x--\r\n'
)
FILES = [b"../../x", b"\x00", b"x" * 3000, b"\xff", b"", b"a\\b"]
PARTS = [b"Content-Type: \xff\r\n", b"Content-Transfer-Encoding: base64\r\n", b"X" * 2000 + b"\r\n"]


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield them; those whose password is really looked at are few, for that takes its time."""
    for page in PAGES:
        yield from _at(page)
    signing_in = {"username": "nobody", "password": "wrong"}
    for number in range(8):
        body = json.dumps(signing_in | {"username": f"nobody{number}"}).encode()
        yield Case(
            kind="sign-in: wrong password",
            what="token",
            method="POST",
            target="/api/auth/token",
            headers=JSON,
            body=body,
        )
        form = signing_in | {"username": f"nobody{number}", "csrfmiddlewaretoken": TOKEN}
        yield _posted("/admin/login/", "sign-in: wrong password", "form", form)
    for number in range(60):
        token = ".".join(chance.randbytes(12).hex() for _ in range(number % 5 + 1))
        yield Case(
            kind="refresh: no token",
            what=token[:40],
            method="POST",
            target="/api/auth/token/refresh",
            headers=JSON,
            body=json.dumps({"refresh": token}).encode(),
        )


def _at(page: str) -> Iterator[Case]:
    good = {"csrfmiddlewaretoken": TOKEN, "username": "nobody", "password": "wrong"}
    for token in NO_TOKENS:
        what, form = f"token {token[:10]!r}", good | {"csrfmiddlewaretoken": token}
        yield _posted(page, "form: CSRF", what, form, Must.BE_REFUSED)
    for name in NAMES:
        yield _posted(page, "form: values", f"name {name[:10]!r}", good | {"username": name})
    for password in ("", "\x00"):
        yield _posted(page, "form: values", f"password {password!r}", good | {"password": password})
    for following in (
        "\x00",
        "//evil.example",
        "http://[",
        "javascript:x",
        "x" * 10_000,
        "\r\nX: y",
    ):
        form = good | {"username": "", "next": following}
        yield _posted(page, "form: values", f"next {following[:10]!r}", form)
    encoded = [*NO_FORMS]
    encoded += [("multipart/form-data; boundary=x", WHOLE_PART % (name, b"")) for name in FILES]
    encoded += [("multipart/form-data; boundary=x", WHOLE_PART % (b"x", part)) for part in PARTS]
    for content_type, body in encoded:
        for more in ((), (("X-CSRFToken", TOKEN),)):
            yield Case(
                kind="form: encodings",
                what=f"{content_type[:40]} {body[:20]!r}",
                method="POST",
                target=page,
                headers=(("Content-Type", content_type), *COOKIE, *more),
                body=body,
                must=Must.BE_ANSWERED,
            )


def _posted(
    page: str, kind: str, what: str, form: dict[str, str], must: Must = Must.BE_ANSWERED
) -> Case:
    return Case(
        kind=kind,
        what=what,
        method="POST",
        target=page,
        headers=(*FORM, *COOKIE),
        body=urlencode(form).encode(),
        must=must,
    )
