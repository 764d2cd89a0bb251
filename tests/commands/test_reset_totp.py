"""``reset_totp``."""

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from orders.signin import factors
from tests.commands.running import run
from tests.factories import staff
from tests.signin.people import with_app

pytestmark = pytest.mark.django_db


def test_reset_totp_takes_the_app_and_the_recovery_codes_of_one_user() -> None:
    kim, _, _ = with_app(staff("manager", username="kim"))
    lee, _, _ = with_app(staff("manager", username="lee"))
    outcome = run("reset_totp", "kim")
    assert outcome.out == "kim has no second factor now, and signs in with the password.\n"
    assert (factors.device_of(kim), factors.recovery_codes_left(kim)) == (None, 0)
    assert factors.device_of(lee) is not None


def test_reset_totp_says_when_another_must_be_set_up(settings: Settings) -> None:
    settings.STAFF_REQUIRE_TOTP = True
    with_app(staff("manager", username="kim"))
    assert "sets a new one up at the next sign-in" in run("reset_totp", "kim").out


@pytest.mark.parametrize(("name", "why"), [("nobody", "no user nobody"), ("kim", "no second")])
def test_reset_totp_without_anything_to_reset_fails(name: str, why: str) -> None:
    staff("manager", username="kim")
    with pytest.raises(CommandError, match=why):
        run("reset_totp", name)
