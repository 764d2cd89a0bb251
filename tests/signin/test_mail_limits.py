"""A mail server that is slow, silent or talkative is cut off in time."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django.fixtures import Settings

from orders.signin import resets
from orderservice import smtp
from tests.signin.mailboxes import Mailbox, Talker, certificate, server

LINES, NO_LINES, SILENCE = b"220-and another thing\r\n", b"and another thing, ", b""
TO_TLS = [b"220 here\r\n", b"250-here\r\n250 STARTTLS\r\n"]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate of the server's."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _patient_with_each_step(settings: Settings, port: int) -> None:
    """See that what ends a conversation is the limit of it all."""
    settings.EMAIL_TIMEOUT = 60


def failure() -> Exception:
    """Return why a mail could not be handed in, which must not take long."""
    with ThreadPoolExecutor(1) as pool:
        failed, was_ready = pool.submit(
            resets._handed_in, EmailMessage(to=["kim@example.com"])
        ).result(20)
    assert failed is not None
    assert not was_ready
    return failed


@pytest.mark.parametrize("words", [LINES, NO_LINES, SILENCE])
@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtps"])
def test_server_that_comes_to_no_end_is_cut_off(
    scheme: str,
    words: bytes,
    port: int,
    pem: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "PATIENCE", 0.7)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = scheme == "smtp+tls", scheme == "smtps"
    talker = Talker(
        port,
        words,
        pem=None if scheme == "smtp" else pem,
        plainly=TO_TLS if scheme == "smtp+tls" else (),
    )
    with ExitStack() as stack:
        stack.callback(talker.hang_up)
        assert isinstance(failure(), OSError)
        assert talker.called.is_set()


def test_server_that_talks_too_much_is_cut_off(port: int) -> None:
    talker = Talker(port, LINES * 1000, pause=0)
    with ExitStack() as stack:
        stack.callback(talker.hang_up)
        assert "it says too much" in str(failure())


def test_addresses_that_do_not_answer_share_the_time(
    port: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "PATIENCE", 0.7)
    settings.EMAIL_HOST = "mail.example.org"
    resolved = socket.getaddrinfo

    def six(host: Any, *args: Any, **options: Any) -> Any:
        if host == "mail.example.org":
            return resolved("127.0.0.1", port, type=socket.SOCK_STREAM) * 6
        return resolved(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", six)
    with ExitStack() as stack:
        stack.enter_context(closing(socket.create_server(("127.0.0.1", port), backlog=0)))
        for _ in range(4):  # more than it lets wait: who comes then hears nothing
            caller = stack.enter_context(closing(socket.socket()))
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        assert isinstance(failure(), TimeoutError)


class Scanner(Mailbox):
    """Looks through what it gets before it says that it has taken it."""

    async def handle_DATA(self, *args: Any) -> str:
        await asyncio.sleep(1)
        return await super().handle_DATA(*args)


def test_server_that_looks_a_mail_through_may_take_longer_than_for_a_step(
    port: int, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    box = Scanner()
    with server(box, port):
        assert resets._handed_in(EmailMessage(to=["kim@example.com"])) == (None, True)
    assert len(box.mails) == 1
