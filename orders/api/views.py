"""The calls of the API: each translates a request to one verb, or one reading, and back."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.exceptions import MethodNotAllowed, NotFound, ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import lifecycle, queries
from orders.actor import Actor
from orders.api import filters, idempotency, representation, throttles
from orders.api.pagination import page_of
from orders.api.parsers import admit_chunked
from orders.api.serializers import StatusSerializer, read_order
from orders.errors import IllegalTransition
from orders.lifecycle import OrderDraft
from orders.models import ApiKey, User
from orders.queries import OrderDetails
from orders.status import UNSETTLED_STOCK, Door, OrderStatus, StockState
from orders.throttling import Taken
from orderservice.client_address import client_network
from orderservice.rates import Scope

SETTLING_RETRY = 2  # seconds
REVIEW_RETRY = 60  # seconds: a person has to look at it
NO_VERSION = 0  # versions begin with 1, so an order never has this one


class ApiView(APIView):
    """What all calls share: nothing is cached by others, and an order's id leaks to nobody."""

    http_method_names = ["get", "head", "post", "patch"]
    throttle_scopes: dict[str, Scope] = {}  # in which scope a method's calls are counted
    taken: Taken | None = None

    def get_authenticate_header(self, request: Request) -> str:
        """Return every scheme that a 401 may be answered with."""
        headers = [each.authenticate_header(request) for each in self.get_authenticators()]
        return ", ".join(header for header in headers if header)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Wrap the request, whichever way its body comes."""
        admit_chunked(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a method that there is not, before anybody is asked who they are."""
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Add the headers that every answer carries."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        answer["Referrer-Policy"] = "no-referrer"
        if not answer["Allow"]:  # where there is no call at all
            del answer["Allow"]
        throttles.tell(answer, self.taken)
        patch_vary_headers(answer, ["Authorization", "Cookie"])
        answer.add_post_render_callback(self._let_go)
        return answer

    def _let_go(self, response: Response) -> None:
        """Take apart the circles in which call, request and answer hold each other.

        They would stay until the garbage collector comes, whose time they are most of.
        """
        response.renderer_context = {}  # type: ignore[attr-defined] # REST framework sets it
        self.request.parser_context = {}
        vars(self).clear()

    @property
    def actor(self) -> Actor:
        """Who is calling; a guest when there is no credential."""
        return Actor(via=Door.API, user=self.user)

    @property
    def user(self) -> User | None:
        """The user whom the credential names, or whose service the API key stands for."""
        user = self.request.user
        return user if isinstance(user, User) else None


class UnknownCall(ApiView):
    """Whatever is not a call of the API."""

    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse, whatever the method."""
        raise NotFound


class GuestsMayCreate(BasePermission):
    """Anyone may create; everything else wants a credential."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the call may go on; what is allowed on which order is decided later."""
        return request.method == "POST" or bool(request.user.is_authenticated)


class OrdersView(ApiView):
    """``/api/orders``: all orders that the caller may see, and new ones."""

    permission_classes = [GuestsMayCreate]
    throttle_scopes = {"POST": Scope.ORDERS, "GET": Scope.LISTS}

    def get(self, request: Request) -> Response:
        """List a page of orders."""
        page = page_of(self.actor, filters.read(request.query_params))
        response = Response(page.body)
        if link := page.link(request.path, request.query_params.dict()):
            response["Link"] = link
        return response

    def post(self, request: Request) -> Response:
        """Place an order, once for each idempotency key."""
        owner = self._customer()
        key = request.headers.get(idempotency.HEADER)
        wanted = self._read(request.data, owner, idempotency.faults(key))
        draft = OrderDraft(**wanted, owner=owner, guest_address=self._guest_address())
        claim = idempotency.claim(key, scope=self._scope(draft), draft=draft)
        placed = idempotency.place(draft, actor=self.actor, claim=claim)
        response = Response(placed.body, status=201)
        response["Location"] = reverse("order", args=[placed.body["id"]])
        if placed.replayed:
            response["Idempotency-Replayed"] = "true"
        return response

    def _read(self, data: Any, owner: User | None, faults: dict[str, Any]) -> dict[str, Any]:
        """Return what the body asks for; refuse it with all its faults, and those of a header."""
        try:
            wanted = read_order(data, owner=owner)
        except ValidationError as exc:
            if not isinstance(exc.detail, dict):
                raise
            raise ValidationError({**exc.detail, **faults}) from exc
        if faults:
            raise ValidationError(faults)
        return wanted

    def _customer(self) -> User | None:
        """Return the signed-in customer; staff and services order for others."""
        if self.user is None or self.user.is_staff or isinstance(self.request.auth, ApiKey):
            return None
        return self.user

    def _guest_address(self) -> str:
        """Return where a guest calls from; who has a credential is known by that."""
        return "" if self.user is not None else client_network(self.request) or ""

    def _scope(self, draft: OrderDraft) -> str:
        """Return within what an idempotency key is one's own."""
        if isinstance(self.request.auth, ApiKey):
            return f"key:{self.request.auth.prefix}"
        return f"guest:{draft.email.lower()}" if self.user is None else f"user:{self.user.pk}"


class OrderView(ApiView):
    """``/api/orders/{id}``: one order."""

    def get(self, request: Request, order_id: str) -> Response:
        """Show the order, unless the caller has it already."""
        order = found(order_id, self.actor)
        tag = representation.etag(order)
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if known == ["*"] or tag in {each.removeprefix("W/") for each in known}:
            return Response(status=304, headers={"ETag": tag})
        return shown(order)


class StatusView(ApiView):
    """``/api/orders/{id}/status``: the verbs, as the state that the order shall be in."""

    permission_classes = [IsAuthenticated]
    throttle_scopes = {"PATCH": Scope.STATUS}

    def patch(self, request: Request, order_id: str) -> Response:
        """Bring the order into the state, as far as the caller may and the stock allows."""
        order = found(order_id, self.actor)
        body = StatusSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self._bring_to(
            order,
            OrderStatus(body.validated_data["status"]),
            note=body.validated_data.get("reason", ""),
            expected=expected_version(request.headers.get("If-Match"), order),
        )
        is_there = order.status == body.validated_data["status"]  # then nothing was asked of us
        return shown(queries.load(order.number), accepted=not is_there)

    def _bring_to(
        self, order: OrderDetails, status: OrderStatus, *, note: str, expected: int | None
    ) -> None:
        match status:
            case OrderStatus.CONFIRMED:
                lifecycle.confirm(order.number, actor=self.actor, expected_version=expected)
            case OrderStatus.COMPLETED:
                lifecycle.complete(order.number, actor=self.actor, expected_version=expected)
            case OrderStatus.CANCELLED:
                lifecycle.cancel(
                    order.number, actor=self.actor, note=note, expected_version=expected
                )
            case OrderStatus.PENDING:
                if order.status != OrderStatus.PENDING:
                    raise IllegalTransition(OrderStatus(order.status), status)


class EventsView(ApiView):
    """``/api/orders/{id}/events``: what happened to one order."""

    def get(self, request: Request, order_id: str) -> Response:
        """Show the timeline, and to staff their notes."""
        order = found(order_id, self.actor)
        timeline: dict[str, object] = {
            "data": [
                representation.event(each, self.actor) for each in queries.events(order.number)
            ]
        }
        if self.user is not None and self.user.has_perm("orders.view_ordernote"):
            timeline["notes"] = [representation.note(each) for each in queries.notes(order.number)]
        return Response(timeline)


def found(order_id: str, actor: Actor) -> OrderDetails:
    """Return the order that a path names; raise `OrderNotFound`, also for what is no id at all."""
    return queries.find(queries.named(order_id), actor=actor)


def shown(order: OrderDetails, *, accepted: bool = False) -> Response:
    """Answer with the order; with ``accepted`` as 202 while its stock is being settled."""
    settling = accepted and order.stock_state in UNSETTLED_STOCK
    response = Response(representation.order(order), status=202 if settling else 200)
    response["ETag"] = representation.etag(order)
    if settling:
        in_review = order.stock_state == StockState.REVIEW
        response["Retry-After"] = str(REVIEW_RETRY if in_review else SETTLING_RETRY)
    return response


def expected_version(if_match: str | None, order: OrderDetails) -> int | None:
    """Return the version that ``If-Match`` insists on; None when any will do.

    Only a strong tag of the order as it was just read can match (RFC 9110, 13.1.1); the verb
    checks again under its lock. Whatever else the header says matches no version.
    """
    tags = ["*"] if if_match is None else parse_etags(if_match)
    if tags == ["*"]:
        return None
    return order.version if representation.etag(order) in tags else NO_VERSION
