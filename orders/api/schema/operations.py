"""What each call takes and answers."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.serializers import Serializer

from orders.api import filters, serializers, tokens
from orders.api.schema import examples, shapes

ORDER_ID = OpenApiParameter(
    "order_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The order's id. What is no UUID is not found.",
)
READERS: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}, {"session": []}]
WRITERS: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}, {"session": [], "csrf": []}]
KEY = r"^[!-~]([ -~]{0,253}[!-~])?$"


def header(name: str, description: str, pattern: str | None = None) -> OpenApiParameter:
    """Return a header of requests."""
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


def call(
    operation_id: str,
    summary: str,
    description: str,
    *,
    tag: str,
    auth: list[dict[str, list[str]]],
    answers: dict[int, tuple[type[Serializer[Any]] | None, str]],
    problems: list[int],
    takes: type[Serializer[Any]] | None = None,
    parameters: list[Any] | None = None,
    sent: dict[str, Any] | None = None,
    received: dict[str, Any] | None = None,
) -> Any:
    """Return what a method of a view says of itself.

    ``answers`` are a shape and when it is answered, by status; `answers.complete` adds the
    ``problems``, and the headers. ``sent`` and ``received`` are examples by name.
    """
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        tags=[tag],
        auth=auth,  # type: ignore[arg-type] # its types forget that schemes may go together
        parameters=parameters or [],
        request=takes and {"application/json": takes},
        responses={
            status: OpenApiResponse(shape, description=when)
            for status, (shape, when) in answers.items()
        }
        | {500: OpenApiResponse(shapes.Problem)},
        examples=[
            *(OpenApiExample(name, each, request_only=True) for name, each in (sent or {}).items()),
            *(
                OpenApiExample(name, each, response_only=True, status_codes=["200", "201"])
                for name, each in (received or {}).items()
            ),
        ],
        extensions={"x-problems": problems},
    )


LIST_ORDERS = call(
    "listOrders",
    "List orders",
    "Staff see all orders, a customer their own; the newest come first. `page` counts pages. For"
    " depth follow the `Link` header, at a cost that does not grow.",
    tag="Orders",
    auth=READERS,
    parameters=[filters.ListQuery],
    answers={200: (shapes.OrderPage, "A page, which may be empty.")},
    problems=[401, 429],
)
CREATE_ORDER = call(
    "createOrder",
    "Create an order",
    "Checks the stock of all products at once, and writes nothing unless there is enough; it takes"
    " none yet. Whose the order is comes from the credential alone: `userId` of anybody but a"
    " customer is a label, and a customer's must be their own. Items of one product at one price"
    " become one item.",
    tag="Orders",
    auth=[{}, *WRITERS],
    parameters=[
        header(
            "Idempotency-Key",
            "1 to 255 printable ASCII characters. Repeating a request with its key gets the first"
            " answer again, for 24 hours. A key belongs to the credential, a guest's to the e-mail"
            " address.",
            KEY,
        )
    ],
    takes=serializers.OrderSerializer,
    sent=examples.NEW_ORDERS,
    received=examples.ORDERS,
    answers={201: (shapes.Order, "The order, or with `Idempotency-Replayed` an earlier answer.")},
    problems=[401, 403, 409, 413, 415, 422, 429],
)
GET_ORDER = call(
    "getOrder",
    "Read an order",
    "An order without an owner is open to whoever holds its id, an owned one to its owner. Staff"
    " see all.",
    tag="Orders",
    auth=[{}, *READERS],
    parameters=[
        ORDER_ID,
        header("If-None-Match", "Tags that the caller has: 304 when one of them still holds."),
    ],
    received=examples.ORDERS,
    answers={200: (shapes.Order, "The order."), 304: (None, "The caller has it already.")},
    problems=[401, 404],
)
SET_ORDER_STATUS = call(
    "setOrderStatus",
    "Confirm, complete or cancel an order",
    "CONFIRMED takes the stock, exactly once; CANCELLED gives back what was taken. Stock is waited"
    " for 2 s. 202 says that it is still on its way and will arrive by itself, or that a person has"
    " to look at it: look again after `Retry-After`. Asking for the status that the order has is"
    " answered with 200, and does nothing. An owner may cancel their own PENDING order.",
    tag="Orders",
    auth=WRITERS,
    parameters=[ORDER_ID, header("If-Match", "The tag that the order must still have.")],
    takes=serializers.StatusSerializer,
    sent=examples.STATUS_CHANGES,
    answers={
        200: (shapes.Order, "The order, in the status that was asked for."),
        202: (shapes.Order, "The order, whose stock is settling or waits for a person."),
    },
    problems=[401, 403, 404, 409, 412, 413, 415, 429],
)
LIST_ORDER_EVENTS = call(
    "listOrderEvents",
    "Read an order's timeline",
    "Open to whoever may read the order. Who did what, and notes, are told to staff alone.",
    tag="Orders",
    auth=[{}, *READERS],
    parameters=[ORDER_ID],
    answers={200: (shapes.Timeline, "All that happened, the oldest first.")},
    problems=[401, 404],
)
CREATE_TOKEN = call(
    "createToken",
    "Sign in",
    "Wrong attempts count with those at the admin's sign-in: too many lock both. Who has a second"
    " factor sends its `code`, too.",
    tag="Sign-in",
    auth=[{}],
    takes=tokens.SignInSerializer,
    sent=examples.SIGN_INS,
    answers={200: (shapes.Tokens, "A pair of tokens.")},
    problems=[401, 413, 415, 429],
)
REFRESH_TOKEN = call(
    "refreshToken",
    "Renew a pair of tokens",
    "The sign-in itself gets no younger: at some age it needs the password again.",
    tag="Sign-in",
    auth=[{}],
    takes=tokens.RefreshSerializer,
    answers={200: (shapes.Tokens, "A new pair of tokens.")},
    problems=[401, 413, 415, 429],
)


class _View(OpenApiViewExtension):
    """Lays what is said here over a view, which knows nothing of it."""

    calls: dict[str, Any]

    def view_replacement(self) -> Any:
        """Return a view like the target, with its methods described."""
        described = type(self.target.__name__, (self.target,), {})
        return extend_schema_view(**self.calls)(described)


class Orders(_View):
    target_class = "orders.api.views.OrdersView"
    calls = {"get": LIST_ORDERS, "post": CREATE_ORDER}


class Order(_View):
    target_class = "orders.api.views.OrderView"
    calls = {"get": GET_ORDER}


class Status(_View):
    target_class = "orders.api.views.StatusView"
    calls = {"patch": SET_ORDER_STATUS}


class Events(_View):
    target_class = "orders.api.views.EventsView"
    calls = {"get": LIST_ORDER_EVENTS}


class Token(_View):
    target_class = "orders.api.tokens.TokenView"
    calls = {"post": CREATE_TOKEN}


class Refresh(_View):
    target_class = "orders.api.tokens.RefreshView"
    calls = {"post": REFRESH_TOKEN}
