"""Each role with each verb at each door: the matrix says it, and no door says otherwise."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Batch, Order, OrderEvent, SavedFilter
from orders.roles import ROLES, VERB_PERMISSIONS
from orders.status import HoldReason
from tests.admin.desk import decide, in_review
from tests.admin.pages import LIST, act, address, press
from tests.admin.test_amending import sheet
from tests.api.calls import ORDERS, patch, url
from tests.factories import OPERATOR, order_of, staff
from tests.security.callers import by

pytestmark = pytest.mark.usefixtures("committed_db")

Door = Callable[[Client | Any, Order], Any]
API = ("key", "token", "session")  # by which an API call may be made

STATUS = {"confirm": "CONFIRMED", "complete": "COMPLETED", "cancel": "CANCELLED"}
ASKS = {"cancel": {"reason": "customer"}, "hold": {"reason": "payment"}}
SAVED = {"name": "x", "query": "status__exact=PENDING", "shared": "on"}


def may(role: str, verb: str) -> bool:
    return VERB_PERMISSIONS[verb].removeprefix("orders.") in ROLES[role]


def ready_for(verb: str, sandbox: Sandbox) -> Order:
    """Return an order that the verb is legal for."""
    sandbox.store.set_stock({"10": 100})
    placed = order_of(p10=2)
    if verb in ("complete", "restock"):
        lifecycle.confirm(placed.pk, actor=OPERATOR)
    if verb == "release":
        lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.OTHER)
    placed.refresh_from_db()
    return placed


def by_list(client: Client, verb: str, *orders: Order) -> Any:
    """Run the list's action, with what its own page asks for before."""
    first = act(client, verb, *orders)
    if first.status_code != 200 or first.context is None:
        return first
    return act(client, verb, *orders, selection=first.context["selection"].name, **ASKS[verb])


def doors(verb: str) -> dict[str, Door]:
    """Return every way to ask for the verb, but for the API's, which `API` multiplies."""
    word = "cancel" if verb == "restock" else verb
    match verb:
        case "view":
            return {
                "list": lambda c, o: c.get(LIST),
                "page": lambda c, o: c.get(f"{LIST}{o.pk}/change/"),
            }
        case "amend":
            return {"sheet": lambda c, o: c.post(address(o, "amend"), sheet(o) | {"city": "Y"})}
        case "export":
            return {
                kind: lambda c, o, kind=kind: c.post(f"{LIST}export/{kind}/")  # type: ignore[misc]
                for kind in ("orders", "lines")
            }
        case "share":
            return {"saved": lambda c, o: c.post(f"{LIST}saved/", SAVED)}
        case _:
            return {
                "dialog": lambda c, o: press(c, o, word),
                "its page": lambda c, o: c.get(address(o, word)),
                "list action": lambda c, o: by_list(c, word, o),
                "batch": lambda c, o: by_list(c, word, *[o, *[order_of(p10=1) for _ in range(5)]]),
            }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", [verb for verb in VERB_PERMISSIONS if verb != "review"])
def test_roles_may_at_each_door_of_the_admin_what_the_matrix_says(
    sandbox: Sandbox, role: str, verb: str
) -> None:
    allowed = {}
    for number, (name, ask) in enumerate(doors(verb).items()):
        placed = ready_for(verb, sandbox)
        client = Client()
        client.force_login(staff(role, username=f"{role}{number}"))
        before = (OrderEvent.objects.count(), Batch.objects.count())
        answer = ask(client, placed)
        if verb == "share":
            allowed[name] = SavedFilter.objects.filter(shared=True).exists()
            continue
        allowed[name] = answer.status_code != 403
        if not allowed[name]:
            assert (OrderEvent.objects.count(), Batch.objects.count()) == before
        elif name in ("dialog", "list action", "sheet"):
            assert OrderEvent.objects.count() > before[0]
        elif name == "batch":
            assert Batch.objects.count() == before[1] + 1
        getattr(answer, "close", lambda: None)()

    # Whoever may give stock back may ask it for many; each order then asks for its own right.
    expected = dict.fromkeys(allowed, may(role, verb))
    if verb in ("cancel", "restock"):
        either = may(role, "cancel") or may(role, "restock")
        expected |= dict.fromkeys(allowed.keys() & {"batch", "list action"}, either)
    assert allowed == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ["view", "confirm", "complete", "cancel", "restock"])
def test_roles_may_in_the_api_what_the_matrix_says_by_any_credential(
    sandbox: Sandbox, role: str, verb: str
) -> None:
    for credential in API:
        placed = ready_for(verb, sandbox)
        client = by(credential, staff(role))
        if verb == "view":
            answers = [client.get(path) for path in (ORDERS, url(placed), url(placed, "/events"))]
        else:
            answers = [patch(client, placed, STATUS["cancel" if verb == "restock" else verb])]
        expected = 200 if may(role, verb) else 403
        assert [answer.status_code for answer in answers] == [expected] * len(answers)
        events = placed.events.filter(via="api")
        assert events.exists() == (verb != "view" and may(role, verb))


@pytest.mark.parametrize("role", ROLES)
def test_roles_that_review_are_those_of_the_matrix(sandbox: Sandbox, role: str) -> None:
    _, movement = in_review(sandbox)
    client = Client()
    client.force_login(staff(role))
    answer = decide(client, movement)
    movement.refresh_from_db()
    assert (answer.status_code != 403) == may(role, "review") == (movement.state != "review")


@pytest.mark.parametrize("role", ROLES)
def test_roles_that_print_are_those_that_complete_or_export(role: str) -> None:
    placed = order_of(p10=1)
    client = Client()
    client.force_login(staff(role))
    expected = 200 if may(role, "complete") or may(role, "export") else 403
    for file in ("packing-slip.pdf", "invoice.pdf"):
        assert client.get(f"{LIST}{placed.pk}/{file}").status_code == expected


def test_roles_are_asked_about_each_verb_that_there_is() -> None:
    asked = {"view", "confirm", "complete", "cancel", "restock", "review", "hold", "release"}
    assert set(VERB_PERMISSIONS) == asked | {"amend", "export", "share"}
