"""When a request has arrived whole, told from its bytes as they come."""

import re
from enum import Enum

# Bytes. A head of more is refused; a body of more is not waited for, as nothing here takes one: it
# is four times what is read of a form, whose boundaries count, too.
LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 256 * 1024

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\nexpect:[ \t]*100-continue[ \t]*\r?\n", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n", re.IGNORECASE)


class Stage(Enum):
    """How far a request has come."""

    HEAD = "its head is on its way"
    EXPECTED = "its body is on its way, once it has been asked for"
    BODY = "its body is on its way"
    WHOLE = "there is nothing to wait for"
    TOO_LARGE = "its head is larger than any may be"


class Arrival:
    """The bytes of one request, and how far they make it come.

    Judges by no more than it must: what is malformed counts as whole, for the parser to refuse.
    Looks at each byte about once, however few come at a time.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.stage = Stage.HEAD
        self._at = 0  # what has been looked at; in a body, where its next chunk begins
        self._length: int | None = None  # of the body; None when it comes in chunks
        self._look()

    def add(self, data: bytes) -> Stage:
        """Take what has come, and return the stage that the request is in now."""
        self.data += data
        self._look()
        return self.stage

    def asks_for(self, path: bytes) -> bool:
        """Tell whether the request is for a path that begins like that."""
        return self.data[: 32 + len(path)].partition(b" ")[2].startswith(path)

    def _look(self) -> None:
        if self.stage is Stage.HEAD:
            self._look_for_a_head()
        if self.stage in (Stage.EXPECTED, Stage.BODY):
            body = len(self.data) - self._body
            whole = self._chunks_end() if self._length is None else body >= self._length
            if whole or body > LARGEST_BODY:
                self.stage = Stage.WHOLE

    def _look_for_a_head(self) -> None:
        if self._at == 0:  # an empty line may come before a request (RFC 9112, 2.2)
            del self.data[: len(self.data) - len(self.data.lstrip(b"\r\n"))]
        end = _HEAD_END.search(self.data, max(0, self._at - 3))
        self._at = len(self.data)
        if end is None or end.end() > LARGEST_HEAD:
            if len(self.data) > LARGEST_HEAD:
                self.stage = Stage.TOO_LARGE
            return
        head = bytes(self.data[: end.end()])
        self._body = self._at = end.end()
        self._length = None if _CHUNKED.search(head) else 0
        if self._length is not None and (length := _LENGTH.search(head)):
            self._length = int(length[1])
        if self._length is not None and (self._length == 0 or self._length > LARGEST_BODY):
            self.stage = Stage.WHOLE
        else:
            self.stage = Stage.EXPECTED if _EXPECTS.search(head) else Stage.BODY

    def _chunks_end(self) -> bool:
        """Tell whether the last chunk is there, or what is none."""
        while (line_end := self.data.find(b"\r\n", self._at)) >= 0:
            chunk = _CHUNK.match(self.data, self._at)
            if chunk is None:
                return True
            size = int(chunk[1], 16)
            if size == 0:  # what follows are trailers, mostly none, and an empty line
                return self.data.find(b"\r\n\r\n", line_end) >= 0
            if len(self.data) < chunk.end() + size + 2:
                return size > LARGEST_BODY
            self._at = chunk.end() + size + 2
        return False
