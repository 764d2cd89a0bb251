"""People who sign in, with what they have in their hands."""

from __future__ import annotations

import time
from binascii import unhexlify
from typing import TYPE_CHECKING, Any

from django.test import Client
from django_otp.oath import TOTP

from orders.models import User
from orders.signin import factors
from tests.factories import staff, user

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

PASSWORD = "correct horse battery 9"
LOGIN = "/admin/login/"
CODE = "/admin/code/"
PAGE = "/admin/second-factor/"
LIST = "/admin/orders/order/"


def member(role: str = "manager", **fields: Any) -> User:
    """Return a member of staff who can sign in with `PASSWORD`."""
    who = staff(role, **fields)
    who.set_password(PASSWORD)
    who.save()
    return who


def customer(**fields: Any) -> User:
    """Return a customer who can sign in with `PASSWORD`."""
    who = user(**fields)
    who.set_password(PASSWORD)
    who.save()
    return who


def with_app(who: User) -> tuple[User, str, list[str]]:
    """Return somebody who has set an app up, its secret, and the recovery codes."""
    secret = factors.new_secret()
    # With the code before the last, so that those a test signs in with are not used up.
    _, codes = factors.enrol(who, secret, code_of(secret, steps=-1))
    return User.objects.get(pk=who.pk), secret, codes


def code_of(secret: str, steps: int = 0) -> str:
    """Return what an app shows now, or so many steps of 30 s later.

    Not at a step's end: a code that is checked in the next step shifts the phone's clock.
    """
    if (left := 30 - time.time() % 30) < 2:
        time.sleep(left)
    totp = TOTP(unhexlify(secret), 30, 0, 6)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def wrong_code(secret: str) -> str:
    """Return a code that no step nearby has."""
    right = {code_of(secret, steps) for steps in (-2, -1, 0, 1, 2)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def give_password(
    client: Client, username: str, password: str = PASSWORD, *, path: str = LOGIN, **extra: Any
) -> Response:
    """Send the first step's form."""
    return client.post(path, {"username": username, "password": password}, **extra)


def give_code(client: Client, code: str, **extra: Any) -> Response:
    """Send the second step's form."""
    return client.post(CODE, {"code": code}, **extra)


def is_in(client: Client) -> bool:
    """Tell whether the admin's pages open."""
    return client.get(LIST).status_code == 200
