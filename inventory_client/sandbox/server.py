"""The sandbox as a whole, and its life: listening, refusing, stopping."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from inventory_client.sandbox.control import DEMO_PRICES, DEMO_STOCK, Control
from inventory_client.sandbox.faults import Faults
from inventory_client.sandbox.handler import Handler, linger_none
from inventory_client.sandbox.routes import routes
from inventory_client.sandbox.semantics import (
    CatalogueApi,
    GatewayApi,
    Inventory,
    InventoryApi,
)
from inventory_client.sandbox.store import Store
from inventory_client.sandbox.switches import Switches

_POLL_SECONDS = 0.05


class _Server(ThreadingHTTPServer):
    """One listening socket, and the connections that came through it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that goes away in the middle is what the sandbox is for."""

    def reset_all(self) -> None:
        """Reset every connection, those in the middle of a call once it is answered."""
        with self._lock:
            for connection in self._open:
                linger_none(connection)
                # Wakes the thread that waits in a read; its own close then sends the reset.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


class Sandbox:
    """A local inventory service; as a context manager it runs in a thread of its own.

    ``data`` is the SQLite file that holds its stock, ``:memory:`` for none. ``stock`` and
    ``prices`` each seed a store that has none. ``url`` serves the ``inventory`` dialect,
    ``gateway_url`` the other, and ``catalogue_url`` the prices.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: str = ":memory:",
        stock: Mapping[str, int | None] = DEMO_STOCK,
        prices: Mapping[str, Any] = DEMO_PRICES,
    ) -> None:
        """Open the store and listen; calls are answered once ``run`` is on."""
        self.store = Store(data)
        self.switches = Switches()
        self.faults = Faults()
        self.control = Control(self)
        inventory = Inventory(self.store, self.switches)
        self.routes = routes(
            InventoryApi(inventory, self.store, self.switches),
            GatewayApi(inventory),
            CatalogueApi(self.store),
        )
        self.stopping = threading.Event()
        self.late = 0
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._refused_seconds = 0.0
        if self.store.count() == 0:
            self.store.set_stock(stock)
        if not self.store.prices():
            self.store.set_prices(prices)
        self._server = _Server((host, port), self)
        self._address = (host, int(self._server.server_address[1]))
        self._thread: threading.Thread | None = None

    @property
    def root_url(self) -> str:
        """The address of the page; the control endpoints are below it."""
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def url(self) -> str:
        """The base URL of the ``inventory`` dialect."""
        return f"{self.root_url}/api/v1"

    @property
    def gateway_url(self) -> str:
        """The base URL of the ``gateway`` dialect."""
        return f"{self.root_url}/api"

    @property
    def catalogue_url(self) -> str:
        """The base URL of the catalogue."""
        return self.root_url

    def run(self) -> None:
        """Serve until ``stop``; closes the store last."""
        while True:
            self._server.serve_forever(poll_interval=_POLL_SECONDS)
            self._server.server_close()
            self._server.reset_all()
            self.stopping.wait(self._refused_seconds)
            with self._lock:
                if self.stopping.is_set():
                    break
                self._server = _Server(self._address, self)
        self.store.close()

    def stop(self) -> None:
        """Make ``run`` return; not to be called by the thread that runs it."""
        with self._lock:  # or a listener that is just being reopened would miss it
            self.stopping.set()
            server = self._server
        server.shutdown()

    def refuse(self, seconds: float) -> None:
        """Refuse connections for some seconds, as a stopped service does."""
        self._refused_seconds = seconds
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def reset(
        self, stock: Mapping[str, int | None], prices: Mapping[str, Any] | None = None
    ) -> None:
        """Start over with ``stock`` and ``prices``; the switches stay.

        No effects are left, no faults and no counts.
        """
        self.faults.clear()
        self.store.clear()
        self.store.set_stock(stock)
        self.store.set_prices(prices or {})
        with self._lock:
            self._calls.clear()

    def count_call(self, operation: str) -> None:
        """Count one call; the faults among them are counted by the faults themselves."""
        with self._lock:
            self._calls[operation] += 1

    def count_late(self, change: int) -> None:
        """Count the effects that are still to land."""
        with self._lock:
            self.late += change

    def calls(self) -> dict[str, int]:
        """Return the number of calls by operation."""
        with self._lock:
            return dict(self._calls)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread:
            self._thread.join()
