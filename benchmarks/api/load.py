"""Clients that ask, wait for the answer, and ask again: a closed loop over sockets, in one thread.

It does as little as can be done for a request, for it shares the machine with what it measures. A
server that closes connections is connected to again, and the time counts.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds without any answer at all, after which the server counts as dead


@dataclass(slots=True)
class Measured:
    """A window: how long it was, and how long each answer in it took, in seconds, sorted."""

    seconds: float
    times: list[float]
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def quantile(self, share: float) -> float:
        """Return within how many milliseconds such a share of the answers came."""
        if not self.times:
            return float("nan")
        return 1000 * self.times[min(len(self.times) - 1, int(share * len(self.times)))]


class _Client:
    """One connection, and what has come of its answer."""

    __slots__ = ("begun", "data", "length", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.data = b""
        self.length = -1
        self.begun = 0.0


class Load:
    """Requests to one server; ``requests`` yields each whole, as bytes, and may end."""

    def __init__(self, url: str, requests: Iterator[bytes], *, status: int) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._requests = requests
        self._status = b" %d " % status
        self._poll = selectors.DefaultSelector()
        self._measured = Measured(0.0, [])

    def run(self, clients: int, seconds: float) -> Measured:
        """Have so many clients ask for so long; answers that come later do not count."""
        begun = time.perf_counter()
        end = begun + seconds
        for _ in range(clients):
            self._ask(self._connect())
        waiting = clients
        while waiting and (now := time.perf_counter()) < end:
            ready = self._poll.select(min(end - now, PATIENCE))
            if not ready and end - now > PATIENCE:
                raise RuntimeError("the server answers nothing")
            for key, _ in ready:
                waiting -= not self._receive(key.data)
        self._measured.seconds = time.perf_counter() - begun
        self._measured.times.sort()
        for key in list(self._poll.get_map().values()):
            key.data.sock.close()
        self._poll.close()
        return self._measured

    def _connect(self) -> _Client:
        sock = socket.create_connection(self._address, timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(sock)
        self._poll.register(sock, selectors.EVENT_READ, client)
        return client

    def _ask(self, client: _Client) -> bool:
        """Send the next request; return whether there was one."""
        request = next(self._requests, None)
        if request is None:
            self._poll.unregister(client.sock)
            client.sock.close()
            return False
        client.begun = time.perf_counter()
        try:
            client.sock.sendall(request)
        except OSError:  # closed since the last answer: a client would connect and send again
            begun = client.begun
            client = self._again(client)
            client.begun = begun
            client.sock.sendall(request)
        return True

    def _again(self, client: _Client) -> _Client:
        self._poll.unregister(client.sock)
        client.sock.close()
        return self._connect()

    def _receive(self, client: _Client) -> bool:
        """Take what has come, and ask anew after a whole answer; return whether it goes on."""
        try:
            received = client.sock.recv(262_144)
        except OSError:
            received = b""
        client.data += received
        head_end = client.data.find(b"\r\n\r\n")
        if not received:
            self._measured.wrong["connection lost"] += 1
            return self._ask(self._again(client))
        if head_end < 0:
            return True
        if client.length < 0:
            client.length = head_end + 4 + _length(client.data[:head_end])
        if len(client.data) < client.length:
            return True
        took = time.perf_counter() - client.begun
        if self._status in client.data[:16]:
            self._measured.times.append(took)
        else:
            self._measured.wrong[client.data[9:12].decode()] += 1
        closes = b"connection: close" in client.data[:head_end].lower()
        client.data, client.length = b"", -1
        return self._ask(self._again(client) if closes else client)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("an answer without a length")
