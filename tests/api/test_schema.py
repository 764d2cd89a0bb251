"""docs/openapi.yaml says what the API does, and all of it."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders.api import urls
from orders.api.schema import generate
from orders.api.views import UnknownCall
from orders.models import Order
from tests.api import described
from tests.api.calls import ORDERS, create, guest, patch, service, url
from tests.factories import order_of, user

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


def examples(operation_id: str) -> list[Any]:
    """Return the bodies that the description gives as examples of what is sent."""
    for _, _, operation in described.operations():
        if operation["operationId"] == operation_id:
            content = operation["requestBody"]["content"]["application/json"]
            return [each["value"] for each in content["examples"].values()]
    raise LookupError(operation_id)


def parts(of: Any) -> Iterator[dict[str, Any]]:
    """Yield each object within a document."""
    if isinstance(of, dict):
        yield of
    for inner in of.values() if isinstance(of, dict) else of if isinstance(of, list) else ():
        yield from parts(inner)


def test_document_is_what_the_code_says() -> None:
    assert described.FILE.read_text() == generate.text(), "run `make schema`"


def test_document_is_openapi_3_1() -> None:
    document = described.document()
    assert document["openapi"].startswith("3.1.")
    validate_schema(document)  # type: ignore[no-untyped-call] # the library is untyped
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_document_refers_to_what_it_has_and_has_what_it_refers_to() -> None:
    document = described.document()
    references = {part["$ref"] for part in parts(document) if "$ref" in part}
    for reference in references:
        assert described.resolved({"$ref": reference})
    has = {
        f"#/components/{kind}/{name}"
        for kind in ("headers", "responses", "schemas")
        for name in document["components"][kind]
    }
    assert has - references == {"#/components/responses/MethodNotAllowed"}


def test_document_has_every_route_with_its_methods() -> None:
    routes: dict[str, set[str]] = {"/health": {"get"}, "/health/ready": {"get"}}
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = getattr(pattern.callback, "view_class", None)
        if view is UnknownCall:
            continue
        path = str(pattern.pattern).replace("<str:", "{").replace(">", "}").rstrip("/")
        routes[f"/api/{path}"] = {
            method for method in METHODS if view and hasattr(view, method) and method != "options"
        } or {"get"}
    described_routes = {
        path: set(methods) for path, methods in described.document()["paths"].items()
    }
    assert described_routes == routes


def test_every_operation_is_named_explained_and_filed() -> None:
    names = [operation["operationId"] for _, _, operation in described.operations()]
    assert len(names) == len(set(names)) == 11
    for _, _, operation in described.operations():
        assert operation["summary"] and operation["description"] and operation["tags"]
        assert "security" in operation


def test_every_example_of_an_answer_is_one_by_its_schema() -> None:
    document = described.document()
    answers = [
        *document["components"]["responses"].values(),
        *(
            answer
            for _, _, operation in described.operations()
            for answer in operation["responses"].values()
        ),
    ]
    checked = 0
    for answer in answers:
        for content in answer.get("content", {}).values():
            values = [each["value"] for each in content.get("examples", {}).values()]
            values += [content["example"]] if "example" in content else []
            for value in values:
                assert described.validator(content["schema"]).is_valid(value)
                checked += 1
    assert checked == 5


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("number", [0, 1])
def test_create_with_an_example_is_answered_with_the_order(sandbox: Sandbox, number: int) -> None:
    sandbox.store.set_stock({"10": 5, "11": 5})
    answer = guest().post(ORDERS, examples("createOrder")[number], format="json")
    assert answer.status_code == 201


@pytest.mark.usefixtures("committed_db")
def test_status_examples_bring_an_order_through_its_life(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 5})
    order, staff = order_of(p10=1), service()
    confirm, complete, cancel = examples("setOrderStatus")
    for change in (confirm, complete):
        answer = patch(staff, order, **change)
        assert (answer.status_code, answer.json()["status"]) == (200, change["status"])
    other = order_of(p10=1)
    assert patch(staff, other, **cancel).json()["status"] == "CANCELLED"


@pytest.mark.django_db
def test_sign_in_example_gets_tokens() -> None:
    plain, with_code = examples("createToken")
    john = user(username=plain["username"])
    john.set_password(plain["password"])
    john.save()
    for body in (plain, with_code):
        assert guest().post("/api/auth/token", body, format="json").status_code == 200


@pytest.mark.django_db
def test_list_with_the_example_of_each_parameter_is_answered() -> None:
    [listing] = [
        each for _, _, each in described.operations() if each["operationId"] == "listOrders"
    ]
    query = {each["name"]: each["example"] for each in listing["parameters"] if "example" in each}
    assert len(query) == 12
    assert service().get(ORDERS, query).status_code == 200


@pytest.mark.usefixtures("committed_db")
def test_links_of_a_new_order_lead_to_it(plenty: None) -> None:
    [creation] = [
        each for _, _, each in described.operations() if each["operationId"] == "createOrder"
    ]
    links = creation["responses"]["201"]["links"]
    paths = {each["operationId"]: (method, path) for method, path, each in described.operations()}
    order_id = create(guest()).json()["id"]
    for link in links.values():
        assert link["parameters"] == {"order_id": "$response.body#/id"}
        method, path = paths[link["operationId"]]
        answer = service().generic(
            method.upper(),
            path.format(order_id=order_id),
            '{"status": "PENDING"}',
            content_type="application/json",
        )
        assert answer.status_code == 200


class Answer:
    """An answer of somebody who does not keep to the description."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        self.status_code, self.body, self.content = status, body, b"" if body is None else b"{}"
        self.headers = {"X-Request-ID": "x", "Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }

    def json(self) -> Any:
        """Return the body."""
        return self.body


PROBLEM = {
    "type": "about:blank",
    "title": "x",
    "status": 404,
    "detail": "x",
    "instance": "x",
    "code": "x",
}
PROBLEMS = {"Content_Type": "application/problem+json"}


@pytest.mark.parametrize(
    ("method", "path", "answer", "why"),
    [
        ("GET", "/api/orders/x/secret", Answer(200, {}), "is not described"),
        ("GET", "/health", Answer(418, {}), "is not described"),
        ("DELETE", "/api/orders", Answer(204), "is not described"),
        ("GET", "/health", Answer(200, {"status": "ill"}), "/health: 200"),
        ("GET", "/health", Answer(200, {}, Content_Type="text/html"), "is text/html"),
        ("GET", "/api/orders/x", Answer(404, {}, **PROBLEMS), "orders/x: 404"),
        ("PUT", "/api/orders/x", Answer(405, PROBLEM, **PROBLEMS), "lacks Allow"),
        ("GET", "/api/orders/x", Answer(404, PROBLEM, ETag='"1-1"', **PROBLEMS), "has {'etag'}"),
        ("GET", "/api/orders/x", Answer(503, PROBLEM, Retry_After="0", **PROBLEMS), "Retry-After"),
        ("HEAD", "/health", Answer(200, {}), "has a body"),
    ],
)
def test_answer_that_the_description_does_not_have_fails(
    method: str, path: str, answer: Answer, why: str
) -> None:
    """The control of what holds every answer in this folder against the description."""
    with pytest.raises(AssertionError, match=why.replace("{", r"\{")):
        described.check(method, path, answer)


@pytest.mark.django_db
def test_answers_in_this_folder_are_held_against_the_description(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(described, "check", lambda method, path, answer: checked.append(path))
    guest().get(url(order_of(p10=1)))
    guest().get("/admin/login/")
    assert checked == [url(Order.objects.get())]


def test_schema_is_served_as_json_and_as_yaml() -> None:
    answer = APIClient().get("/api/schema")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == described.document()
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Vary"].startswith("Accept")
    for accept in ("application/yaml", "application/json;q=0.5, application/yaml"):
        answer = APIClient().get("/api/schema", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/yaml"
        assert yaml.safe_load(answer.content) == described.document()


@pytest.mark.parametrize("accept", ["text/html", "*/*", "text/html, */*;q=0.8"])
def test_schema_for_whoever_asks_for_neither_is_json(accept: str) -> None:
    answer = APIClient().get("/api/schema/", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/api/schema", "/api/docs"])
def test_description_is_only_read(path: str) -> None:
    answer = APIClient(enforce_csrf_checks=True).post(path, {}, format="json")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.json()["code"] == "method_not_allowed"


def test_health_is_only_read() -> None:
    answer = Client(enforce_csrf_checks=True).post("/health")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_docs_load_nothing_from_elsewhere_and_have_no_script_in_the_page() -> None:
    answer = APIClient().get("/api/docs")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    page = answer.content.decode()
    assert "<style" not in page and "style=" not in page and "http" not in page
    assert page.count("<script") == page.count("<script src=") == 2
