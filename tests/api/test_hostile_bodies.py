"""Bodies that somebody sends to see what happens: refused, and never a 500."""

import gzip
import io
import json
from typing import Any

import pytest

from orders.models import Order
from tests.api.calls import ORDERS, body, create, guest, refusal

pytestmark = pytest.mark.django_db

WHOLE = json.dumps(body())
LIMIT = 64 * 1024


def send(content: bytes | str, content_type: str = "application/json", **headers: str) -> Any:
    return guest().post(ORDERS, content, content_type=content_type, headers=headers)


def with_name(name: str) -> str:
    """Return a body whose name is written as it is here."""
    return WHOLE.replace('"John Doe"', name)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "}",
        "",
        WHOLE + WHOLE,
        WHOLE[:-1] + ",}",
        "{'fullName':'John'}",
        "\ufeff" + WHOLE,
        with_name("NaN"),
        with_name("Infinity"),
        with_name("-Infinity"),
        with_name('"\ud83d"'.encode("ascii", "backslashreplace").decode()),
        with_name('"\\ude00"'),
        WHOLE.replace('"city"', '"\\ud800"'),
        WHOLE.replace('"city"', '"fullName"'),
        with_name("9" * 5000),
        with_name("1e" + "9" * 30),
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        "[" * 60_000,
        WHOLE.encode("utf-16"),
        WHOLE.replace("John Doe", "J\x00ohn"),
        WHOLE.encode().replace(b"John", b"\xff\xfe"),
        WHOLE.encode().replace(b"John", b"\xed\xa0\x80"),
        b"\x00" * 100,
    ],
    ids=range(24),
)
def test_create_with_malformed_json_is_refused(content: str | bytes) -> None:
    answer = send(content)
    assert refusal(answer) in {(400, "parse_error"), (400, "invalid")}
    assert Order.objects.count() == 0


def test_create_with_a_surrogate_pair_keeps_the_character(plenty: None) -> None:
    answer = send(with_name('"\\ud83d\\ude00"'))
    assert answer.json()["fullName"] == "😀"


@pytest.mark.parametrize("surplus", [1, 1_000_000])
def test_create_with_a_body_too_large_is_refused(surplus: int) -> None:
    assert refusal(send(b" " * (LIMIT + surplus))) == (413, "body_too_large")


def test_create_with_the_largest_body_is_read(plenty: None) -> None:
    answer = send(WHOLE.ljust(LIMIT))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json-patch+json",
        "application/*",
        "*/*",
        "x" * 10_000,
        "é",
    ],
)
def test_create_with_another_content_type_is_refused(content_type: str) -> None:
    assert refusal(send(WHOLE, content_type)) == (415, "unsupported_media_type")


def test_create_without_a_content_type_is_refused() -> None:
    answer = guest().generic("POST", ORDERS, WHOLE, content_type="")
    assert refusal(answer) == (415, "unsupported_media_type")


def test_create_with_a_charset_of_utf8_is_read(plenty: None) -> None:
    assert send(WHOLE, "application/json; charset=UTF-8").status_code == 201


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_create_with_an_encoded_body_is_refused(encoding: str) -> None:
    answer = send(gzip.compress(WHOLE.encode()), **{"Content-Encoding": encoding})
    assert refusal(answer) == (415, "unsupported_media_type")


def chunked(content: bytes) -> Any:
    """Send a body without a length, as gunicorn hands over one that comes in chunks."""
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(content), "wsgi.input_terminated": True}
    return guest().generic(
        "POST",
        ORDERS,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_TYPE="application/json",
        **environ,
    )


def test_create_with_a_chunked_body_is_read(plenty: None) -> None:
    assert chunked(WHOLE.encode()).status_code == 201


def test_create_with_a_chunked_body_too_large_is_refused() -> None:
    assert refusal(chunked(b" " * 1_000_000)) == (413, "body_too_large")


def test_create_with_a_body_cut_short_is_refused_though_it_is_valid_json(plenty: None) -> None:
    environ: dict[str, Any] = {
        "wsgi.input": io.BytesIO(WHOLE.encode()),
        "CONTENT_LENGTH": str(len(WHOLE) + 1),
        "CONTENT_TYPE": "application/json",
    }
    sent = guest().generic("POST", ORDERS, content_type="application/json", **environ)
    assert refusal(sent) == (400, "parse_error")
    assert Order.objects.count() == 0


def test_create_with_thousands_of_unknown_fields_is_refused() -> None:
    answer = create(guest(), **{f"x{n}": 1 for n in range(3000)})
    assert refusal(answer) == (400, "invalid")


@pytest.mark.parametrize("key", ["", "\x7f", "é", "x" * 256, "a\tb"])
def test_create_with_a_bad_idempotency_key_is_refused(key: str) -> None:
    answer = create(guest(), headers={"Idempotency-Key": key})
    assert refusal(answer) == (400, "invalid")
    assert [fault["field"] for fault in answer.json()["errors"]] == ["Idempotency-Key"]


class Broken(io.BytesIO):
    """Chunks that are none."""

    def read(self, size: int | None = -1) -> bytes:
        """Fail as a server's parser does."""
        raise ValueError("chunk size")


def test_create_with_malformed_chunks_is_told_so() -> None:
    environ: dict[str, Any] = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    answer = guest().generic(
        "POST",
        ORDERS,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_TYPE="application/json",
        **environ,
    )
    assert refusal(answer) == (400, "parse_error")
