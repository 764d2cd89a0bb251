"""When a request counts as arrived, however it comes."""

import pytest

from orderservice.arrival import LARGEST_BODY, LARGEST_HEAD, Arrival, Stage

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\n12345"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        GET,
        b"\r\n" + GET,
        b"GET / HTTP/1.0\n\n",
        SIZED,
        SIZED.replace(b"5 \r\n", b"5\r\nExpect: 100-continue\r\n"),
        CHUNKED + b"0\r\n\r\n",
        CHUNKED + b"5\r\n12345\r\n1;a=b\r\n6\r\n0\r\n\r\n",
        CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\nDigest: x\r\n\r\n",  # the first zero is content
    ],
    ids=range(8),
)
def test_request_is_whole_with_its_last_byte_and_not_before(request_: bytes) -> None:
    arrival = Arrival()
    stages = [arrival.add(bytes([byte])) for byte in request_]
    assert stages.index(Stage.WHOLE) == len(request_) - 1
    assert Arrival(request_).stage is Stage.WHOLE
    assert arrival.data == request_.lstrip(b"\r\n")


def test_body_that_waits_to_be_asked_for_is_told_from_one_that_comes() -> None:
    head = SIZED.removesuffix(b"12345")
    assert Arrival(head).stage is Stage.BODY
    expecting = head.replace(b"5 \r\n", b"5\r\nexpect: 100-Continue\r\n")
    assert Arrival(expecting).stage is Stage.EXPECTED


@pytest.mark.parametrize(
    "body",
    [
        b"-5\r\n",
        b"x\r\n",
        b"\r\n",
        b"1_0\r\n",
        b"0x5\r\n",
        b"5\r\n1234567x\r\n",
        b"f" * 16 + b"\r\n",
    ],
)
def test_malformed_chunk_is_left_to_the_parser(body: bytes) -> None:
    assert Arrival(CHUNKED + body).stage is Stage.WHOLE


def test_endless_head_is_too_large() -> None:
    head = b"GET / HTTP/1.1\r\nX: "
    assert Arrival(head + b"x" * (LARGEST_HEAD - len(head))).stage is Stage.HEAD
    assert Arrival(head + b"x" * LARGEST_HEAD).stage is Stage.TOO_LARGE
    assert Arrival(head + b"x" * LARGEST_HEAD + b"\r\n\r\n").stage is Stage.TOO_LARGE


@pytest.mark.parametrize(
    "request_",
    [
        SIZED.replace(b"5 ", str(LARGEST_BODY + 1).encode()),
        CHUNKED + b"fffffff\r\n",
        CHUNKED + b"1\r\nx\r\n" * (LARGEST_BODY // 6 + 1),
    ],
    ids=["length", "chunk", "chunks"],
)
def test_body_that_nobody_takes_is_not_waited_for(request_: bytes) -> None:
    assert Arrival(request_).stage is Stage.WHOLE


def test_small_chunks_are_each_looked_at_once() -> None:
    arrival = Arrival(CHUNKED)
    for _ in range(LARGEST_BODY // 6 - 10):  # in quadratic time this would take minutes
        assert arrival.add(b"1\r\nx\r\n") is Stage.BODY
    assert arrival.add(b"0\r\n\r\n") is Stage.WHOLE
