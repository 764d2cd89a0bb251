"""Django's way to a mail server, which ends in time however slowly the server talks."""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any

from django.core.mail.backends import smtp

# Seconds, all in all, and a last EMAIL_TIMEOUT: that begins anew with each byte.
PATIENCE = 30.0


class EmailBackend(smtp.EmailBackend):
    """Django's, with a limit of the whole conversation; past it, it was cut off by the server."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Return what talks to the server."""
        return _BoundedTLS if self.use_ssl else _Bounded


class _Bounded(smtplib.SMTP):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ends_at = time.monotonic() + PATIENCE
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reader(self.sock, self._ends_at))
        return super().getreply()


class _BoundedTLS(_Bounded, smtplib.SMTP_SSL):
    pass


class _Reader(io.RawIOBase):
    """What arrives at a socket until a point of the monotonic clock; then raises `TimeoutError`."""

    def __init__(self, sock: socket.socket, ends_at: float) -> None:
        self._sock, self._ends_at = sock, ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if time.monotonic() >= self._ends_at:
            raise TimeoutError("all its time is over")
        return self._sock.recv_into(buffer)
