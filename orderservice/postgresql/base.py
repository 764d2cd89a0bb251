"""The database backend: ``ENGINE = "orderservice.postgresql"``."""

import select
import time

from django.db.backends.postgresql import base

ASK_AFTER = 30.0  # seconds that a connection has not been looked at


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks at a connection before each request without asking the server.

    Django's health check is a statement, a third of what it costs to read an order. But a server
    that ends a connection says so at once, and the socket has that to be read. Who says nothing is
    asked all the same: after an error, and after a while in which a middlebox or a machine may
    have vanished without a word.
    """

    _looked_at = 0.0

    def is_usable(self) -> bool:
        """Tell whether the connection works."""
        last, self._looked_at = self._looked_at, time.monotonic()
        if self.errors_occurred or self._looked_at - last > ASK_AFTER or self._has_been_told():
            return super().is_usable()
        return self.connection is not None

    def _has_been_told(self) -> bool:
        """Tell whether the server has sent something, or has gone."""
        if self.connection is None or self.connection.closed:
            return True
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
