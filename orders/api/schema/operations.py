"""What each call takes and answers: its statuses, headers, errors and examples."""

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

from orders.api import filters, serializers, tokens
from orders.api.schema import shapes

PROBLEM_TYPE = "application/problem+json"

# When each status is answered with a problem.
WHEN = {
    400: "The request is malformed, or has an invalid or unknown field or parameter.",
    401: "There is no credential, or it is not valid.",
    403: "You may not do this, though you may see the order.",
    404: "There is no such order, or none that you may know of.",
    406: "The answer can't be had in a type that the request accepts.",
    409: "The order's state, its stock or its prices do not allow it.",
    412: "The order is no longer the one of the tag in `If-Match`.",
    413: "The body is longer than 64 KiB.",
    415: "The body is not JSON in UTF-8, or it is compressed.",
    422: "The idempotency key was used with another payload.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The database, the inventory or the catalogue can't be asked; nothing was changed.",
}

JOHN = {
    "fullName": "John Doe",
    "email": "john@example.com",
    "address": "123 Main St",
    "city": "Springfield",
    "zipCode": "12345",
    "items": [{"productId": "10", "quantity": 2, "price": "50.00"}],
}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the problems that a call may be answered with."""
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(shapes.Problem, description=WHEN[status])
        for status in statuses
    }


def header(name: str, description: str, *statuses: int, **more: Any) -> OpenApiParameter:
    """Return a header of answers, or with no status one of the request."""
    return OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=description,
        response=list(statuses) if statuses else False,
        **more,
    )


ORDER_ID = OpenApiParameter(
    "order_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The order's id. What is no UUID is not found.",
)
LEFT = 'What is left of the rate: `"scope";r=requests;t=seconds until all are there again`.'
POLICY = 'The rate: `"scope";q=requests;w=within so many seconds`.'
COUNTED = [
    header("RateLimit", LEFT, 200, 201, 202, 429),
    header("RateLimit-Policy", POLICY, 200, 201, 202, 429),
]
RETRY_AFTER = header("Retry-After", "Seconds to wait before the next try.", 429, 503)
ETAG = header("ETag", "The tag of the order as it is shown.", 200, 202, 304)
CUSTOMER = [{"apiKey": []}, {"bearer": []}, {"session": []}]
ANYBODY = [{}, *CUSTOMER]


class Orders(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.views.OrdersView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            get=extend_schema(
                operation_id="listOrders",
                summary="List orders",
                description="Staff see all orders, a customer their own, the newest first. `page`"
                " counts pages; for depth follow the `Link` header, whose cost does not grow.",
                tags=["Orders"],
                auth=CUSTOMER,
                parameters=[
                    filters.ListQuery,
                    header("Link", 'The next page: `<…>; rel="next"`.', 200),
                    *COUNTED,
                    RETRY_AFTER,
                ],
                responses={200: shapes.PageShape, **problems(400, 401, 406, 429, 503)},
            ),
            post=extend_schema(
                operation_id="createOrder",
                summary="Create an order",
                description="Checks the stock of all products at once, and writes nothing unless"
                " there is enough. Where the shop has a catalogue, each price must be the one that"
                " it says. Whose the order is comes from the credential alone; `userId` of"
                " anybody else is a label.",
                tags=["Orders"],
                auth=ANYBODY,
                parameters=[
                    OpenApiParameter(
                        "Idempotency-Key",
                        {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 255,
                            "pattern": r"^[\x20-\x7e]+$",
                        },
                        OpenApiParameter.HEADER,
                        description="Repeating a request with its key gets the first answer again,"
                        " for 24 hours. A key belongs to the credential; a guest's to the e-mail.",
                    ),
                    header("Location", "The order's path.", 201, required=True),
                    header("Idempotency-Replayed", "`true` for an earlier answer.", 201),
                    *COUNTED,
                    RETRY_AFTER,
                ],
                request={"application/json": serializers.OrderSerializer},
                responses={
                    201: shapes.OrderShape,
                    **problems(400, 401, 403, 406, 409, 413, 415, 422, 429, 503),
                },
                examples=[OpenApiExample("A guest's order", JOHN, request_only=True)],
            ),
        )(type("OrdersView", (self.target_class,), {}))


class Order(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.views.OrderView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            get=extend_schema(
                operation_id="getOrder",
                summary="Read an order",
                description="An order without an owner is open to whoever holds its id, an owned"
                " one to its owner; staff see all.",
                tags=["Orders"],
                auth=ANYBODY,
                parameters=[
                    ORDER_ID,
                    header("If-None-Match", "Tags that the caller has: 304 when one still holds."),
                    ETAG,
                    RETRY_AFTER,
                ],
                responses={
                    200: shapes.OrderShape,
                    304: OpenApiResponse(description="The caller has it already."),
                    **problems(401, 404, 406, 503),
                },
            )
        )(type("OrderView", (self.target_class,), {}))


class Status(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.views.StatusView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            patch=extend_schema(
                operation_id="setOrderStatus",
                summary="Confirm, complete or cancel an order",
                description="CONFIRMED takes the stock, exactly once. 202 says that this goes on"
                " by itself: look again after `Retry-After`. Asking for the state that the order is"
                " in answers 200 and does nothing. An owner may cancel their own PENDING order.",
                tags=["Orders"],
                auth=CUSTOMER,
                parameters=[
                    ORDER_ID,
                    header("If-Match", "The tag that the order must still have."),
                    ETAG,
                    *COUNTED,
                    header("Retry-After", "Seconds to wait before the next try.", 202, 429, 503),
                ],
                request={"application/json": serializers.StatusSerializer},
                responses={
                    200: shapes.OrderShape,
                    202: OpenApiResponse(shapes.OrderShape, description="Its stock is settling."),
                    **problems(400, 401, 403, 404, 406, 409, 412, 413, 415, 429, 503),
                },
                examples=[OpenApiExample("Confirm", {"status": "CONFIRMED"}, request_only=True)],
            )
        )(type("StatusView", (self.target_class,), {}))


class Events(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.views.EventsView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            get=extend_schema(
                operation_id="listOrderEvents",
                summary="Read an order's timeline",
                tags=["Orders"],
                auth=ANYBODY,
                parameters=[ORDER_ID, RETRY_AFTER],
                responses={200: shapes.TimelineShape, **problems(401, 404, 406, 503)},
            )
        )(type("EventsView", (self.target_class,), {}))


def _signs_in(operation_id: str, summary: str, description: str, request: Any) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        tags=["Sign-in"],
        auth=[{}],
        parameters=[*COUNTED, RETRY_AFTER],
        request={"application/json": request},
        responses={200: shapes.TokensShape, **problems(400, 401, 406, 413, 415, 429, 503)},
    )


class Token(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.tokens.TokenView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            post=_signs_in(
                "createToken",
                "Sign in",
                "Wrong attempts count with those at the admin's sign-in: too many lock both.",
                tokens.SignInSerializer,
            )
        )(type("TokenView", (self.target_class,), {}))


class Refresh(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    target_class = "orders.api.tokens.RefreshView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            post=_signs_in(
                "refreshToken",
                "Renew a pair of tokens",
                "The sign-in itself gets no younger: at some age it needs the password again.",
                tokens.RefreshSerializer,
            )
        )(type("RefreshView", (self.target_class,), {}))
