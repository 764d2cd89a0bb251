"""Users, roles and API keys in the admin, and what the sidebar offers to whom."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from orders.models import ApiKey, User
from tests.admin.conftest import SignIn
from tests.admin.pages import told
from tests.factories import staff, user

pytestmark = pytest.mark.django_db

USERS = "/admin/orders/user/"
KEYS = "/admin/orders/apikey/"
GROUPS = "/admin/auth/group/"


def superuser() -> Client:
    client = Client()
    client.force_login(user(is_staff=True, is_superuser=True))
    return client


def helper(*codenames: str) -> Client:
    """Return a member of staff, not a superuser, with some permissions."""
    member = staff("viewer")
    member.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(member)
    return client


def test_added_key_is_shown_once_and_works() -> None:
    service = staff("fulfilment")
    client = superuser()

    response = client.post(KEYS + "add/", {"name": "shop", "user": service.pk})

    key = ApiKey.objects.get()
    assert (key.user, key.revoked) == (service, False)
    [(level, text), _] = told(response)
    assert level == "warning"
    [secret] = re.findall(r"The key of shop: (\S+) — copy it now", text)
    assert key.is_valid(secret)
    assert secret in client.get(KEYS).content.decode()
    for path in (KEYS, f"{KEYS}{key.pk}/change/"):
        body = client.get(path, follow=True).content.decode()
        assert key.prefix in body
        assert secret not in body


def test_key_can_be_revoked_but_neither_deleted_nor_given_to_another() -> None:
    service = staff("viewer")
    key, _ = ApiKey.objects.create_key(name="shop", user=service)
    client = superuser()

    fields = {"name": "Shop", "user": user(is_superuser=True).pk}
    client.post(f"{KEYS}{key.pk}/change/", fields)
    response = client.post(KEYS, {"action": "revoke", "index": 0, "_selected_action": [key.pk]})

    assert told(response)[-1] == ("success", f"Shop ({key.prefix}) revoked")
    changed = ApiKey.objects.get()
    assert (changed.name, changed.user, changed.revoked) == ("Shop", service, True)
    assert client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"}).status_code == 403


def test_key_for_somebody_who_may_more_is_forbidden() -> None:
    client = helper("add_apikey", "view_apikey")
    for service in (staff("manager"), user(is_superuser=True)):
        response = client.post(KEYS + "add/", {"name": "shop", "user": service.pk})
        assert response.status_code == 403
    assert not ApiKey.objects.exists()


def test_user_who_may_more_can_not_be_changed() -> None:
    client = helper("change_user", "view_user")
    for target in (staff("manager"), user(is_superuser=True)):
        for path in ("change/", "password/"):
            response = client.post(
                f"{USERS}{target.pk}/{path}",
                {"username": "x", "password1": "correct horse 9", "password2": "correct horse 9"},
            )
            assert response.status_code == 403
        target.refresh_from_db()
        assert target.username != "x"


def test_user_can_not_hand_out_roles_unless_a_superuser() -> None:
    client = helper("change_user", "view_user")
    target = user()
    fields = {
        "username": "kim",
        "email": "kim@example.com",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [Group.objects.get(name="manager").pk],
    }
    assert client.post(f"{USERS}{target.pk}/change/", fields).status_code == 302
    target.refresh_from_db()
    assert (target.username, target.is_staff, target.is_superuser) == ("kim", False, False)
    assert not target.groups.exists()

    assert superuser().post(f"{USERS}{target.pk}/change/", fields).status_code == 302
    target.refresh_from_db()
    assert (target.is_staff, target.is_superuser) == (True, True)


def test_user_is_added_and_never_deleted() -> None:
    client = superuser()
    fields = {"username": "kim", "password1": "correct horse 9", "password2": "correct horse 9"}
    assert client.post(USERS + "add/", fields | {"usable_password": "true"}).status_code == 302
    kim = User.objects.get(username="kim")
    assert kim.check_password("correct horse 9")
    assert client.post(f"{USERS}{kim.pk}/delete/", {"post": "yes"}).status_code == 403


def test_auditor_looks_at_people_and_keys_without_secrets(sign_in: SignIn) -> None:
    target = user()
    target.set_password("correct horse 9")
    target.save()
    key, _ = ApiKey.objects.create_key(name="shop", user=target)
    client = sign_in("auditor")
    body = client.get(f"{USERS}{target.pk}/change/").content.decode()
    assert target.username in body
    assert target.password not in body
    assert client.get(f"{KEYS}{key.pk}/change/", follow=True).status_code == 200
    for path in (f"{USERS}{target.pk}/change/", f"{USERS}add/", f"{KEYS}add/"):
        assert client.post(path, {"username": "x"}).status_code == 403


@pytest.mark.parametrize("path", [USERS, KEYS, GROUPS])
@pytest.mark.parametrize("role", ["viewer", "fulfilment", "manager"])
def test_people_are_hidden_from_those_who_handle_orders(
    sign_in: SignIn, role: str, path: str
) -> None:
    assert sign_in(role).get(path).status_code == 403


def test_groups_are_for_superusers_alone(sign_in: SignIn) -> None:
    assert helper("view_group", "change_group").get(GROUPS).status_code == 403
    client = superuser()
    assert client.get(GROUPS).status_code == 200
    viewer = Group.objects.get(name="viewer")
    assert client.get(f"{GROUPS}{viewer.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("role", "links"),
    [
        ("viewer", ["Dashboard", "Pending", "Confirmed", "All orders"]),
        (
            "manager",
            [
                *("Dashboard", "Pending", "Confirmed", "All orders", "Batches"),
                *("Short", "Settling", "Review", "Failed"),
                "Exports",
            ],
        ),
        (
            "auditor",
            [
                *("Dashboard", "Pending", "Confirmed", "All orders", "Batches"),
                *("Short", "Settling", "Review", "Failed"),
                *("Users", "API keys", "Exports"),
            ],
        ),
    ],
)
def test_sidebar_offers_what_the_role_may_see(sign_in: SignIn, role: str, links: list[str]) -> None:
    groups = sign_in(role).get("/admin/").context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"]] == links


def test_sidebar_marks_where_one_is(sign_in: SignIn) -> None:
    response = sign_in("manager").get("/admin/orders/order/?stock_state__exact=short")
    groups = response.context["sidebar_navigation"]
    active = [item["title"] for group in groups for item in group["items"] if item["active"]]
    assert active == ["Short"]
    assert response.context["site_title"] == "Order desk"


def test_other_tables_of_other_apps_are_not_offered() -> None:
    body = superuser().get("/admin/").content.decode()
    assert "rest_framework_api_key" not in body
    assert "procrastinate" not in body
