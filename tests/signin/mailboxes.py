"""Mail servers on a socket, what they have got, and who looks into it."""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.core.mail import EmailMessage as Mail
from django.test import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from orders.models import User

USER, PASSWORD = "relay@shop", "p@ss:w/rd%"
NEW = "a horse of another colour"
ADMIN, TRACK = "/admin/forgotten/", "/track/forgotten"
DOORS = pytest.mark.parametrize("door", [ADMIN, TRACK])
Mails = list[Mail]
LINK = re.compile(r"^https?://\S+/reset/\S+", re.MULTILINE)


class Mailbox:
    """What a mail server has got; with ``refusals`` it first answers these to a recipient.

    An empty one hangs up; ``at`` another step, it lets the recipients pass.
    """

    def __init__(self, *refusals: str, at: str = "RCPT") -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusals, self.at = list(refusals), at

    def refuses(self, server: Any, step: str) -> str | None:
        """Return the next refusal, if it is for this step."""
        if not self.refusals or step != self.at:
            return None
        if not self.refusals[0]:
            server.transport.abort()
        return self.refusals.pop(0)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, *_: Any
    ) -> str:
        refusal = self.refuses(server, "RCPT")
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        refusal = self.refuses(server, "DATA")
        if refusal is not None:
            return refusal
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@contextmanager
def server(mailbox: Mailbox, port: int, certificate: Path | None = None) -> Iterator[None]:
    """Take mails in; with a certificate only by STARTTLS, from who signs in."""
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": _known,
        }
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the server's own, with every address
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def _known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
    return AuthResult(success=right)


class Talker:
    """A mail server that talks without an end, until it hangs up, or is hung up on.

    With a certificate it does so over TLS, after the words of ``plainly`` that lead there.
    """

    def __init__(
        self,
        port: int,
        words: bytes = b"220-and another thing\r\n",
        *,
        pause: float = 0.2,
        pem: Path | None = None,
        plainly: Sequence[bytes] = (),
    ) -> None:
        self.words, self.pause, self.plainly = words, pause, plainly
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if pem else None
        if self.tls and pem:
            self.tls.load_cert_chain(pem)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.called, self.hung_up = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._talk)
        self.thread.start()

    def _talk(self) -> None:
        with self.listener, suppress(OSError):
            caller, _ = self.listener.accept()
            self.called.set()
            with ExitStack() as stack:
                stack.enter_context(caller)
                for words in self.plainly:
                    caller.sendall(words)
                    caller.recv(1000)
                if self.plainly:
                    caller.sendall(b"220 go ahead\r\n")
                if self.tls and self.words:
                    caller = stack.enter_context(self.tls.wrap_socket(caller, server_side=True))
                while not self.hung_up.wait(self.pause):
                    caller.sendall(self.words)

    def hang_up(self) -> None:
        """End the talk, and free the port."""
        self.hung_up.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()


def certificate(folder: Path) -> Path:
    """Make a certificate of this machine's, with its key."""
    path = folder / "localhost.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", path, "-out"),
            *(folder / "only.pem", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
        env=os.environ,
    )
    path.write_text(path.read_text() + (folder / "only.pem").read_text())
    return path


def ask(
    address: str, door: str = "/track/forgotten", client: Client | None = None, **more: Any
) -> Any:
    """Send the form of those who forgot their password."""
    return (client or Client()).post(door, {"email": address}, **more)


def work() -> None:
    """Do what a worker would, until no job waits; what fails does so here."""
    while job := ProcrastinateJob.objects.filter(status="todo").order_by("id").first():
        args = job.args
        ProcrastinateJob.objects.filter(pk=job.pk).delete()
        app.tasks[job.task_name].func(**args)


def link_in(mail: Any) -> str:
    """Return the path of the link in a mail, Django's or one that has travelled."""
    body = mail.body if hasattr(mail, "body") else mail.get_content()
    [link] = LINK.findall(body)
    return "/" + str(link).split("/", 3)[3]


def opened(path: str, client: Client) -> str:
    """Open a link; return where its form is."""
    answer = client.get(path)
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def choose(form: str, password: str, client: Client, again: str | None = None) -> Any:
    """Send the form with a new password."""
    given = {"new_password1": password, "new_password2": again or password}
    return client.post(form, given)


def link_for(who: User, mails: Sequence[Any], door: str = "/track/forgotten") -> str:
    """Return the path of the link that somebody has asked for and got."""
    ask(who.email, door)
    work()
    return link_in(mails[-1])
