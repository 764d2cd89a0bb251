"""What a client tells of its calls, and what it adds to them, for whoever watches."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext


class Observer:
    """Watches the calls of one service; this one sees nothing. Its methods must not raise."""

    def around(self, call: str) -> AbstractContextManager[None]:
        """Return a context that a call is made in; ``call`` is its name, as ``adjust``."""
        return nullcontext()

    def headers(self) -> Mapping[str, str]:
        """Return headers that pass on what the call belongs to."""
        return {}

    def ended(self, call: str, outcome: str, seconds: float | None) -> None:
        """Note what came of a call: ``answered``, or an error's code.

        ``seconds`` is how long it took, None when the open breaker kept it from being made.
        """
