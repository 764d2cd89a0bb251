"""What superusers see and do about others' sign-ins, and what nobody else may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import DjangoAssertNumQueries

from orders.models import User
from orders.signin import factors
from tests.admin.conftest import SignIn
from tests.admin.pages import told
from tests.factories import staff, user
from tests.signin.people import with_app

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db

USERS = "/admin/orders/user/"
ATTEMPTS = "/admin/axes/accessattempt/"


def superuser() -> tuple[User, Client]:
    boss = user(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    return boss, client


def remove(client: Client, *targets: User) -> Response:
    numbers = [target.pk for target in targets]
    return client.post(
        USERS, {"action": "remove_second_factor", "index": 0, "_selected_action": numbers}
    )


def attempt() -> AccessAttempt:
    return AccessAttempt.objects.create(
        username="mallory", ip_address="203.0.113.9", user_agent="", failures_since_start=7
    )


def test_superuser_removes_the_second_factor_of_others_and_history_says_so() -> None:
    boss, client = superuser()
    kim, _, _ = with_app(staff("manager", username="kim"))
    lee = staff("manager", username="lee")
    response = remove(client, kim, lee)
    assert sorted(told(response)) == [
        ("success", "kim: second factor removed"),
        ("warning", "lee has no second factor"),
    ]
    assert (factors.device_of(kim), factors.recovery_codes_left(kim)) == (None, 0)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        boss,
        str(kim.pk),
        "Removed the second factor.",
    )


def test_superuser_s_own_second_factor_needs_a_code() -> None:
    boss, client = superuser()
    app, _, _ = with_app(boss)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=app).persistent_id
    session.save()
    [(level, text)] = told(remove(client, boss))
    assert (level, text[:21]) == ("error", "Your own needs a code")
    assert factors.device_of(boss) is not None


@pytest.mark.parametrize("permissions", [[], ["change_user", "view_user"]])
def test_second_factor_of_others_is_out_of_reach_unless_a_superuser(permissions: list[str]) -> None:
    kim, _, _ = with_app(staff("viewer", username="kim"))
    helper = staff("viewer")
    helper.user_permissions.set(
        Permission.objects.filter(codename__in=[*permissions, "delete_totpdevice"])
    )
    client = Client()
    client.force_login(helper)
    remove(client, kim)
    fields = {"username": "kim", "email": "kim@example.com", "is_active": "on", "second_factor": ""}
    client.post(f"{USERS}{kim.pk}/change/", fields)
    assert factors.device_of(kim) is not None
    if permissions:
        assert "remove_second_factor" not in client.get(USERS).content.decode()


def test_list_of_users_shows_who_has_one_with_as_many_queries_as_for_none(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _, client = superuser()
    client.get(USERS)
    with django_assert_num_queries(8) as asked:
        client.get(USERS)
    for number in range(5):
        with_app(staff("manager", username=f"name{number}"))
    with django_assert_num_queries(len(asked)):
        body = client.get(USERS).content.decode()
    assert "Second factor" in body


@pytest.mark.parametrize(
    "name",
    ["otp_totp_totpdevice", "otp_static_staticdevice", "axes_accesslog", "axes_accessfailurelog"],
)
def test_pages_with_others_secrets_do_not_exist(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:{name}_changelist")


def test_superuser_looks_at_failed_sign_ins_and_can_change_none() -> None:
    row = attempt()
    _, client = superuser()
    body = client.get(ATTEMPTS).content.decode()
    for shown in ("mallory", "203.0.113.9", ">7<"):
        assert shown in body.replace("\n", "").replace(" ", "")
    change, delete = f"{ATTEMPTS}{row.pk}/change/", f"{ATTEMPTS}{row.pk}/delete/"
    assert client.post(change, {"failures_since_start": 0}).status_code == 405
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(f"{ATTEMPTS}add/").status_code == 403
    fields = {"action": "delete_selected", "index": 0, "_selected_action": [row.pk], "post": "yes"}
    client.post(ATTEMPTS, fields)
    assert AccessAttempt.objects.get().failures_since_start == 7


@pytest.mark.parametrize("role", ["viewer", "fulfilment", "manager", "auditor"])
def test_failed_sign_ins_are_hidden_from_every_role(sign_in: SignIn, role: str) -> None:
    attempt()
    client = sign_in(role)
    assert client.get(ATTEMPTS).status_code == 403
    assert "Failed sign-ins" not in client.get("/admin/").content.decode()


def test_account_menu_leads_to_the_second_factor(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    for menu in (["/admin/password_change/", "/admin/second-factor/"], ["/admin/second-factor/"]):
        links = client.get("/admin/").context["account_links"]
        assert [link["link"] for link in links] == menu
        viewer = User.objects.get(username="viewer")
        viewer.set_unusable_password()
        viewer.save()
        client.force_login(viewer)
