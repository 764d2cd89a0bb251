"""The second factor: a code from an app, or one of the recovery codes that stand in for it.

django-otp keeps the secrets, refuses a code that was used, and makes whoever guesses wait. Of
recovery codes only a keyed hash is kept.
"""

from __future__ import annotations

import math
import secrets
import time
from binascii import unhexlify
from datetime import timedelta
from typing import TYPE_CHECKING

import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString, mark_safe
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from orders.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest

STEP = 30  # seconds that a code of the app is shown
DIGITS = 6  # of a code of the app
TOLERANCE = 1  # steps that the phone's clock may be off
RECOVERY_CODES = 10
RECOVERY_DIGITS = 12
LONGEST_CODE = 40  # characters, with what people put between the digits


class CodeRefused(Exception):
    """The code is wrong or was used; or it was not looked at, and one is in ``wait`` seconds."""

    def __init__(self, wait: int | None = None) -> None:
        super().__init__()
        self.wait = wait

    def __str__(self) -> str:
        if self.wait is None:
            return "That code is wrong, or was used already. Wait for the next one, and try again."
        return f"Too many wrong codes. Try again in {self.wait} s."


def is_satisfied(request: HttpRequest) -> bool:
    """Tell whether whoever is signed in has shown all that we ask: the API and the admin agree.

    Who has a second factor must have shown it in this session. Staff without one are satisfied
    unless ``STAFF_REQUIRE_TOTP`` is on.
    """
    user = request.user
    if not isinstance(user, User):
        return False
    if getattr(user, "otp_device", None) is not None:  # django-otp's middleware has found it
        return True
    return not user.has_second_factor and not is_required(user)


def is_required(user: User) -> bool:
    """Tell whether the user must have a second factor."""
    return bool(user.is_staff and settings.STAFF_REQUIRE_TOTP)


def device_of(user: User) -> TOTPDevice | None:
    """Return the user's app, as django-otp knows it."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def recovery_codes_left(user: User) -> int:
    """Return how many of the user's recovery codes are unused."""
    return int(StaticToken.objects.filter(device__user=user).count())


def new_secret() -> str:
    """Return a secret for an app, as hex digits; nothing is kept."""
    return str(random_hex(20))


def address_of(user: User, secret: str) -> str:
    """Return the ``otpauth:`` address that an app is set up with."""
    return str(TOTPDevice(user=user, key=secret, step=STEP, digits=DIGITS).config_url)


def picture_of(address: str) -> SafeString:
    """Return the address as a QR code, an SVG that needs no style."""
    drawn = segno.make(address, error="m", micro=False)
    return mark_safe(drawn.svg_inline(scale=4, dark="#000", light="#fff"))  # noqa: S308 - drawn here


def enrol(user: User, secret: str, code: str) -> tuple[TOTPDevice, list[str]]:
    """Make the app with that secret the user's second factor; return it and new recovery codes.

    What the user had before opens nothing any more. Raises `CodeRefused` unless the code shows that
    the app has the secret; that code will not sign in.
    """
    totp = TOTP(unhexlify(secret), STEP, 0, DIGITS)
    totp.time = time.time()
    digits = _plain(code)
    if len(digits) != DIGITS or not totp.verify(int(digits), TOLERANCE):
        raise CodeRefused
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # two tabs take turns
        TOTPDevice.objects.filter(user=user).delete()
        device = TOTPDevice.objects.create(
            user=user,
            name="app",
            key=secret,
            step=STEP,
            digits=DIGITS,
            tolerance=TOLERANCE,
            last_t=totp.t(),
            drift=totp.drift,
        )
        return device, renew_recovery_codes(user)


def renew_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes, in the place of the old; this is the only time that they exist."""
    codes = [
        f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}"
        for _ in range(RECOVERY_CODES)
    ]
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="recovery codes")
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=_kept(user, code)) for code in codes
        )
    return [" ".join(code[at : at + 4] for at in range(0, RECOVERY_DIGITS, 4)) for code in codes]


def check(user: User, code: str) -> TOTPDevice:
    """Use a code up, the app's or a recovery code; return the app.

    Raises `CodeRefused` for one that is wrong or was used, and while wrong ones make the user wait.
    Of two requests with one code, one is refused.
    """
    digits = _plain(code)
    app = device_of(user)
    if app is None or not digits:
        raise CodeRefused
    is_recovery = len(digits) == RECOVERY_DIGITS
    asked = (
        StaticDevice.objects.filter(user=user)
        if is_recovery
        else TOTPDevice.objects.filter(pk=app.pk)
    )
    with transaction.atomic():
        device = asked.select_for_update().first()
        wait = None if device is None else _wait(device)
        token = _kept(user, digits) if is_recovery else digits
        right = device is not None and wait is None and device.verify_token(token)
    if not right:  # raised out here, for the failure must be committed
        raise CodeRefused(wait)
    return app


def remove(user: User) -> bool:
    """Take the user's second factor and recovery codes away; tell whether there was one."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        StaticDevice.objects.filter(user=user).delete()
        deleted, _ = TOTPDevice.objects.filter(user=user).delete()
    return bool(deleted)


def _wait(device: TOTPDevice | StaticDevice) -> int | None:
    """Return the seconds that wrong codes make the user wait; None when none are left."""
    allowed, why = device.verify_is_allowed()
    if allowed:
        return None
    left: timedelta = why["locked_until"] - timezone.now()
    return max(1, math.ceil(left.total_seconds()))


def _plain(code: str) -> str:
    """Return the digits of a code without what separates them; nothing of what is no code."""
    bare = "".join(code.split()).replace("-", "")
    return bare if bare.isascii() and bare.isdigit() else ""


def _kept(user: User, code: str) -> str:
    """Return what is kept of a recovery code; 16 characters are what django-otp has room for."""
    keyed = salted_hmac("orders.signin.recovery", f"{user.pk}:{code}", algorithm="sha256")
    return keyed.hexdigest()[:16]
