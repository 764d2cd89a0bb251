"""``create_api_key``."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from orders.models import ApiKey, User
from tests.commands.running import run
from tests.factories import user

pytestmark = pytest.mark.usefixtures("committed_db")


def test_create_api_key_writes_a_working_key_on_the_last_line() -> None:
    outcome = run("create_api_key", "--name", "Till 7", "--role", "fulfilment")

    assert ApiKey.objects.is_valid(outcome.out.splitlines()[-1])
    key = ApiKey.objects.get()
    assert (key.name, key.expiry_date, key.user.username) == ("Till 7", None, "service-till-7")
    assert not key.user.has_usable_password()
    assert not key.user.is_staff
    assert key.user.has_perm("orders.confirm_order")
    assert not key.user.has_perm("orders.cancel_order")


def test_create_api_key_that_expires_says_when() -> None:
    run("create_api_key", "--name", "till", "--role", "viewer", "--expires-days", "30")
    expires = ApiKey.objects.get().expiry_date
    assert expires is not None
    assert abs(expires - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_create_api_key_again_gives_the_same_user_a_second_key() -> None:
    for _ in range(2):
        run("create_api_key", "--name", "till", "--role", "viewer")
    assert (User.objects.count(), ApiKey.objects.count()) == (1, 2)


def test_create_api_key_never_changes_what_older_keys_may_do() -> None:
    run("create_api_key", "--name", "till", "--role", "viewer")
    with pytest.raises(CommandError, match="another role"):
        run("create_api_key", "--name", "till", "--role", "manager")


def test_create_api_key_never_acts_as_a_person() -> None:
    person = user(username="service-till")
    person.set_password("a person's own")
    person.save()
    with pytest.raises(CommandError, match="a person's login"):
        run("create_api_key", "--name", "till", "--role", "viewer")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "till", "--role", "emperor"),
        ("--name", "!!!", "--role", "viewer"),
        ("--name", "till", "--role", "viewer", "--expires-days", "0"),
    ],
)
def test_create_api_key_with_nonsense_makes_nothing(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("create_api_key", *arguments)
    assert (User.objects.count(), ApiKey.objects.count()) == (0, 0)


@pytest.mark.parametrize("days", ["0", "-1", "36501", "99999999"])
def test_create_api_key_that_expires_never_or_at_once_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 36500"):
        run("create_api_key", "--name", "till", "--role", "viewer", f"--expires-days={days}")
