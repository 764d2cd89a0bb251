"""A PostgreSQL that is there, and answers nobody: no error comes, and no packet is lost."""

import selectors
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection

from tests.deploy.serving import served
from tests.deploy.slow import ask
from tests.processes import wait_for

pytestmark = pytest.mark.usefixtures("committed_db")
THREADS = 4
ORDER = f"/api/orders/{uuid4()}"  # of which there is none
GIVEN_UP = 6.0  # seconds: the server's limit of four, and a grace of two
AT_ONCE = 3.0  # seconds, on a busy machine: who waits for the database takes longer


class Relay:
    """A way to PostgreSQL over TCP, which can be frozen: it accepts then, and passes nothing on."""

    def __init__(self, to: str) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.moving = threading.Event()
        self.moving.set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """End every connection."""
        self._over = True
        self.moving.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()

    def _run(self) -> None:
        while not self._over:
            self.moving.wait()
            for key, _ in self._selector.select(timeout=0.1):
                if not self.moving.is_set():
                    break
                if key.data is None:
                    self._accept()
                else:
                    self._pass_on(key.fileobj, key.data)

    def _accept(self) -> None:
        client, server = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
        server.connect(self._to)
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _pass_on(self, source: object, to: socket.socket) -> None:
        assert isinstance(source, socket.socket)
        data = b""
        with suppress(OSError):
            data = source.recv(65536)
            to.sendall(data)
        if not data and source.fileno() >= 0:
            for each in (source, to):
                self._selector.unregister(each)
                each.close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    at = connection.settings_dict
    relay = Relay(f"{at['HOST']}/.s.PGSQL.{at['PORT'] or 5432}")
    yield relay
    relay.close()


def test_nobody_waits_for_long_and_the_process_stays_alive(tmp_path: Path, relay: Relay) -> None:
    at = connection.settings_dict
    url = f"postgres://{at['USER']}@127.0.0.1:{relay.port}/{at['NAME']}"
    variables = {
        "DATABASE_URL": f"{url}?options={quote('-c statement_timeout=4000')}",
        "WEB_THREADS": str(THREADS),
    }
    with ExitStack() as stack:
        port = stack.enter_context(served(tmp_path / "log", **variables)).port
        callers = stack.enter_context(ThreadPoolExecutor(3 * THREADS))
        assert ask(port, "/health/ready")[0] == 200
        # Each thread has a connection, and waits; as many requests wait for a thread.
        assert set(callers.map(lambda _: ask(port, ORDER)[0], range(THREADS))) == {404}
        relay.moving.clear()
        waiting = [callers.submit(ask, port, ORDER) for _ in range(2 * THREADS)]
        ready = callers.submit(ask, port, "/health/ready")
        for _ in range(5):
            status, took = ask(port, "/health")
            assert (status, took < AT_ONCE) == (200, True)
        status, took = ready.result()
        assert (status, took < GIVEN_UP) == (503, True)  # its own limit is shorter
        answers = [each.result() for each in waiting]
        assert {status for status, _ in answers} == {503}
        assert max(took for _, took in answers) < GIVEN_UP + AT_ONCE  # not one after the other
        status, took = ask(port, ORDER)
        assert (status, took < AT_ONCE) == (503, True)  # once one has waited, nobody does

        relay.moving.set()
        wait_for(lambda: ask(port, "/health/ready")[0] == 200, within=10)
        assert ask(port, ORDER)[0] == 404
