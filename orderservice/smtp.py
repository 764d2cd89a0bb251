"""Django's way to a mail server, which ends in time however slowly the server talks."""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any

from django.core.mail.backends import smtp

PATIENCE = 30.0  # seconds, all in all; EMAIL_TIMEOUT is the limit of each step before the mail
MOST = 1_000_000  # bytes that a server may say, all in all: smtplib keeps all of an answer


class EmailBackend(smtp.EmailBackend):
    """Django's, with limits of the whole conversation; past them, it was cut off by the server."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Return what talks to the server."""
        return _BoundedTLS if self.use_ssl else _Bounded

    def open(self) -> bool | None:
        """Return whether a connection was made, to a server that is ready for a mail."""
        opened: bool | None = super().open()
        if opened and self.connection:
            self.connection.ehlo_or_helo_if_needed()  # after STARTTLS nothing has been heard yet
        return opened


class _Bounded(smtplib.SMTP):
    # Not in __init__, which SMTP_SSL passes over: a conversation begins with its connection.
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._ends_at, self._unsaid = time.monotonic() + PATIENCE, MOST
        failures = []
        # One by one, as create_connection would give each of them all the time.
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                numeric = str(address[0]), port
                found = socket.create_connection(numeric, self._left(), self.source_address)
            except OSError as exc:
                failures.append(exc)
            else:
                found.settimeout(self._left())  # of a TLS handshake
                return found
        raise failures[0]

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reader(self, self.sock))
        reply = super().getreply()
        if self.sock is not None:
            self.sock.settimeout(self._left())  # of what is sent now, or a TLS handshake
        return reply

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the mail in, and leave the server all the time that is left to look it through.

        Whoever goes before it says that it has taken the mail sends it again, and has it come twice
        (RFC 1047).
        """
        self.timeout = PATIENCE
        return super().data(msg)

    def receive_into(self, buffer: Any, sock: socket.socket) -> int:
        """Wait for what the server says next; return how many bytes it is."""
        if time.monotonic() >= self._ends_at:
            raise TimeoutError("all its time is over")
        sock.settimeout(self._left())
        size = sock.recv_into(buffer)
        self._unsaid -= size
        if self._unsaid < 0:
            raise OSError("it says too much")
        return size

    def _left(self) -> float:
        # Never 0, which would be no timeout at all.
        return max(min(self.timeout, self._ends_at - time.monotonic()), 0.001)


class _BoundedTLS(smtplib.SMTP_SSL, _Bounded):
    pass


class _Reader(io.RawIOBase):
    """What a conversation's server says, as a file."""

    def __init__(self, conversation: _Bounded, sock: socket.socket) -> None:
        self._conversation, self._sock = conversation, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._conversation.receive_into(buffer, self._sock)
