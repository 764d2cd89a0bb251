"""What one of our loggers says, as the fields of its lines."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Fields(logging.Handler):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == self._name and isinstance(record.msg, dict):
            self.lines.append(record.msg)


@contextmanager
def logged(name: str) -> Iterator[list[dict[str, Any]]]:
    """Keep the lines of a logger that the root handler's formatter would write as JSON."""
    handler = _Fields(name)
    logging.getLogger().addHandler(handler)
    try:
        yield handler.lines
    finally:
        logging.getLogger().removeHandler(handler)
