"""How far a long command has got, for people who watch it."""

import time

from django.core.management.base import OutputWrapper

BETWEEN_DRAWINGS = 0.1  # seconds
WIDTH = 30  # characters
CLEAR_LINE = "\r\x1b[K"


class Progress:
    """One line of a terminal with a bar; says nothing where the stream is no terminal."""

    def __init__(self, stream: OutputWrapper, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._drawn_at = 0.0
        self._visible = stream.isatty() and total > 1

    def step(self) -> None:
        """Count one more as done."""
        self._done += 1
        now = time.monotonic()
        if self._visible and (
            now - self._drawn_at >= BETWEEN_DRAWINGS or self._done == self._total
        ):
            self._drawn_at = now
            bar = "#" * (WIDTH * self._done // self._total)
            self._write(f"{CLEAR_LINE}[{bar:<{WIDTH}}] {self._done}/{self._total}")

    def say(self, line: str) -> None:
        """Write a line that stays, above the bar."""
        self._write(f"{CLEAR_LINE if self._visible else ''}{line}\n")

    def close(self) -> None:
        """Remove the bar."""
        if self._visible:
            self._write(CLEAR_LINE)

    def _write(self, text: str) -> None:
        self._stream.write(text, style_func=str, ending="")
        self._stream.flush()
