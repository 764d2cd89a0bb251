"""Saved filters: one's own, and those that managers share."""

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import SavedFilter, User
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, told

pytestmark = pytest.mark.django_db

SAVE = "/admin/orders/order/saved/"


def keep(
    client: Client, name: str = "mine", query: str = "status__exact=PENDING", **more: str
) -> None:
    client.post(SAVE, {"name": name, "query": query} | more)


def names(client: Client) -> list[str]:
    return [each.name for each in client.get(LIST).context["cl"].saved]


def test_save_keeps_the_filter_in_its_fixed_form_and_returns_to_it(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    query = "total__gte=10&q=+Smith+&city=&below=5&o=1&p=3"
    answer = client.post(SAVE, {"name": "big Smiths", "query": query})
    assert answer.url == f"{LIST}?q=Smith&total__gte=10"  # type: ignore[attr-defined]
    saved = SavedFilter.objects.get()
    assert (saved.owner.username, saved.name, saved.query, saved.shared) == (
        "viewer",
        "big Smiths",
        "q=Smith&total__gte=10",
        False,
    )
    [shown] = client.get(f"{LIST}?total__gte=10&q=Smith").context["cl"].saved
    assert (shown.name, shown.link, shown.active) == ("big Smiths", f"?{saved.query}", True)


def test_save_under_the_same_name_replaces(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    keep(client)
    keep(client, query="status__exact=CONFIRMED")
    assert SavedFilter.objects.get().query == "status__exact=CONFIRMED"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "o=1",
        "status__exact=x",
        "colour=red",
        "next=https://evil.example/",
        "https://evil.example/",
        "//evil.example/?q=smith",
        "q=" + "é" * 200,  # 1,200 characters once it stands in an address
        "&".join(f"x{n}=1" for n in range(2000)),
    ],
)
def test_save_of_what_is_no_filter_keeps_nothing(sign_in: SignIn, query: str) -> None:
    answer = sign_in("viewer").post(SAVE, {"name": "mine", "query": query})
    assert answer.url == LIST  # type: ignore[attr-defined]
    [(level, said)] = told(answer)
    assert (level, said.startswith("Not saved:")) == ("error", True)
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "\0"])
def test_save_without_a_proper_name_keeps_nothing(sign_in: SignIn, name: str) -> None:
    keep(sign_in("viewer"), name=name)
    assert not SavedFilter.objects.exists()


def test_save_of_one_too_many_is_refused_and_replacing_is_not(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    for serial in range(21):
        keep(client, name=f"no {serial}")
    assert SavedFilter.objects.count() == 20
    keep(client, name="no 7", query="q=smith")
    assert SavedFilter.objects.get(name="no 7").query == "q=smith"


def test_list_shows_ones_own_filters_and_shared_ones(sign_in: SignIn) -> None:
    manager, viewer, outsider = sign_in("manager"), sign_in("viewer"), sign_in("auditor")
    keep(manager, name="everybody's", shared="on")
    keep(manager, name="the manager's")
    keep(viewer, name="the viewer's")
    assert names(manager) == ["everybody's", "the manager's"]
    assert names(viewer) == ["the viewer's", "everybody's"]
    assert names(outsider) == ["everybody's"]


@pytest.mark.parametrize("role", ["viewer", "fulfilment", "auditor"])
def test_save_for_everybody_without_the_permission_is_refused(sign_in: SignIn, role: str) -> None:
    fields = {"name": "ours", "query": "q=smith", "shared": "on"}
    client = sign_in(role)
    assert client.post(SAVE, fields).status_code == 403
    assert not SavedFilter.objects.exists()
    assert "for everybody" not in client.get(f"{LIST}?q=smith").content.decode()


def test_delete_removes_ones_own_filter_alone(sign_in: SignIn) -> None:
    manager, outsider = sign_in("manager"), sign_in("viewer")
    keep(manager, shared="on")
    address = reverse("admin:orders_order_unsave", args=[SavedFilter.objects.get().pk])
    assert outsider.post(address).status_code == 404
    assert address not in outsider.get(LIST).content.decode()
    assert address in manager.get(LIST).content.decode()
    manager.post(address)
    assert not SavedFilter.objects.exists()
    assert manager.post(address).status_code == 404


@pytest.mark.parametrize("path", [SAVE, f"{SAVE}1/delete/"])
def test_saved_filters_change_by_post_of_staff_with_a_token_alone(
    sign_in: SignIn, path: str
) -> None:
    assert sign_in("viewer").get(path).status_code == 405
    customer = Client()
    customer.force_login(User.objects.create(username="customer"))
    assert customer.post(path).status_code == 302
    assert "/login/" in customer.post(path).url  # type: ignore[attr-defined]
    nobody = Client()
    nobody.force_login(User.objects.create(username="nobody", is_staff=True))
    assert nobody.post(path).status_code == 403
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(User.objects.get(username="viewer"))
    assert forged.post(path, {"name": "mine", "query": "q=smith"}).status_code == 403
