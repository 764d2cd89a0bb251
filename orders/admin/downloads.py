"""What staff take out of the order list in a file; what stands in it is `orders.exports`' matter.

A CSV can be long, so its action leads to a page that says what is coming, and whose button streams
it: the page's address holds the list's filter, so that it can be kept, sent and tried again.
"""

from collections.abc import Iterable, Mapping

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from orders import exports
from orders.admin import listing
from orders.admin.base import LookOnlyAdmin, actor_of
from orders.admin.listing.form import FilterForm
from orders.models import Order
from orders.status import ExportKind

TITLES = {
    ExportKind.ORDERS: "Export orders (CSV)",
    ExportKind.LINES: "Export lines (CSV)",
}
MOST_IN_AN_ADDRESS = 3_000  # characters; gunicorn refuses a request line of more than 4,094


class DownloadAdmin(LookOnlyAdmin[Order]):
    """The list's exports, for `OrderAdmin` to have among its actions and addresses."""

    download_actions: tuple[str, ...] = ("export_orders", "export_lines")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers the exports."""
        return actor_of(request).may("export")

    @admin.action(description=TITLES[ExportKind.ORDERS], permissions=["export"])
    def export_orders(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Go where the selected orders can be downloaded."""
        return self._to_export(ExportKind.ORDERS, request, queryset)

    @admin.action(description=TITLES[ExportKind.LINES], permissions=["export"])
    def export_lines(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Go where the selected orders' lines can be downloaded."""
        return self._to_export(ExportKind.LINES, request, queryset)

    def get_urls(self) -> list[URLPattern]:
        """Add the exports' pages."""
        return [
            *(
                path(
                    f"export/{kind}/",
                    self.admin_site.admin_view(self.export_view),
                    {"kind": kind},
                    name=f"orders_order_export_{kind}",
                )
                for kind in TITLES
            ),
            *super().get_urls(),
        ]

    def _to_export(
        self, kind: ExportKind, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        if listing.all_that_match(request):
            query = _filter_of(request.GET).urlencode()
        else:
            numbers = queryset.order_by("-pk").values_list("pk", flat=True)
            query = f"numbers={','.join(map(str, numbers))}"
        if len(query) > MOST_IN_AN_ADDRESS:
            text = "These are too many to name one by one: filter the list and select all."
            self.message_user(request, text, messages.ERROR)
            return None
        return HttpResponseRedirect(f"{reverse(f'admin:orders_order_export_{kind}')}?{query}")

    def export_view(self, request: HttpRequest, *, kind: ExportKind) -> HttpResponseBase:
        """Show what an export will hold; send the file to who asks for it by POST."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if not self.has_view_permission(request) or not self.has_export_permission(request):
            raise PermissionDenied
        orders = self._chosen(request)
        if request.method != "POST":
            return self._export_page(request, kind, orders)
        try:
            running = exports.begin(
                kind,
                exports.csv_of(kind, orders),
                actor=actor_of(request),
                selection=_in_words(request.GET),
            )
        except exports.TooManyExports as exc:
            self.message_user(request, str(exc), messages.ERROR)
            answer = self._export_page(request, kind, orders, status=503)
            answer["Retry-After"] = str(exc.retry_after)
            return answer
        return StreamingHttpResponse(running, headers=_headers(kind))

    def _export_page(
        self, request: HttpRequest, kind: ExportKind, orders: QuerySet[Order], status: int = 200
    ) -> HttpResponse:
        size = exports.size(kind, orders)
        context = {
            "title": TITLES[kind],
            "kind": kind,
            "size": size,
            "size_in_words": _size_in_words(size, kind),
            "selection": _in_words(request.GET),
            "columns": exports.COLUMNS[kind],
            "list_url": self._list_url(request),
        }
        return self.show(request, "orders/export.html", context, status)

    def _chosen(self, request: HttpRequest) -> QuerySet[Order]:
        """Return the orders that the address stands for: those it names, or the list's filter."""
        if (named := request.GET.get("numbers")) is not None:
            numbers = named.split(",")
            if not all(each.isascii() and each.isdigit() and len(each) <= 18 for each in numbers):
                raise Http404
            return self.get_queryset(request).filter(pk__in=map(int, numbers))
        try:
            return listing.matching(self.get_queryset(request), request.GET)
        except IncorrectLookupParameters as exc:
            raise Http404 from exc

    def _list_url(self, request: HttpRequest) -> str:
        filters = _filter_of(request.GET)
        filters.pop("numbers", None)
        query = f"?{filters.urlencode()}" if filters else ""
        return reverse("admin:orders_order_changelist") + query


def chosen_by(request: HttpRequest, numbers: Iterable[int]) -> str:
    """Return what a list action's orders were chosen by, in words."""
    if listing.all_that_match(request):
        return _in_words(request.GET)
    return _named(numbers)


def _filter_of(query: QueryDict) -> QueryDict:
    """Return what narrows the list, of all that its address says."""
    narrowed = query.copy()
    for name in listing.SHOWN_BY:
        narrowed.pop(name, None)
    return narrowed


def _in_words(query: QueryDict) -> str:
    """Return what an address stands for as people say it; empty for all orders."""
    if named := query.get("numbers"):
        return _named(named.split(","))
    return "; ".join(FilterForm(query).in_words().values())


def _named(numbers: Iterable[object]) -> str:
    return f"Numbers: {', '.join(map(str, numbers))}"


def _size_in_words(size: exports.Size | None, noun: str) -> str:
    """Return how many rows an export will have, as far as that is known."""
    if size is None:
        return f"Nobody has counted these {noun}: that would take too long"
    if size.rows == 1:
        noun = noun.removesuffix("s")
    return f"{'' if size.exact else 'More than '}{size.rows:,} {noun}"


def _headers(kind: ExportKind) -> Mapping[str, str]:
    name = f"{kind}-{timezone.now():%Y%m%d-%H%M}.csv"
    return {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Accel-Buffering": "no",  # nginx would keep it back, and the progress with it
    }
