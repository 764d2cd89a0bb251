"""The mail server and the sender, in the words of ``EMAIL_URL``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

_URL = re.compile(
    r"(?P<scheme>smtp|smtp\+tls|smtps)://"
    r"(?:(?P<user>[^\s:@/?#]+):(?P<password>[^\s@/?#]+)@)?"
    r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"/?\?from=(?P<sender>[^\s&#]+)",
    re.ASCII,
)
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in, and from whom; no user: nobody signs in there."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    sender: str


def parsed(text: str) -> Server:
    """Return what a setting like ``smtp+tls://user:password@host:587?from=address`` means.

    Raises `ValueError` with a reason, in which nothing of the setting stands: it has a password.
    """
    found = _URL.fullmatch(text)
    if found is None:
        raise ValueError(
            "it must be like smtp+tls://user:password@mail.example.com:587?from=shop@example.com"
            " (or smtp:// or smtps://), with user and password percent-encoded"
        )
    scheme, port = found["scheme"], int(found["port"] or _PORTS[found["scheme"]])
    if not 1 <= port <= 65535:
        raise ValueError("its port must be from 1 to 65535")
    if scheme == "smtp" and found["user"]:
        raise ValueError("smtp:// would send the password in the clear: smtp+tls:// or smtps://")
    sender = unquote(found["sender"])
    try:
        if not sender.isprintable():
            raise ValidationError("")
        validate_email(parseaddr(sender)[1])
    except ValidationError:
        raise ValueError(
            "its from must be an address, or Name%20%3Caddress%3E percent-encoded"
        ) from None
    user, password = unquote(found["user"] or ""), unquote(found["password"] or "")
    if not (user + password).isascii():
        raise ValueError("smtplib can't sign in with a user or a password that is not ASCII")
    return Server(scheme, found["host"].strip("[]"), port, user, password, sender)
