"""Packing slips and invoices: of one order, or of a selection in one file."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders import exports
from orders.admin.base import actor_of
from orders.admin.downloads import DownloadAdmin, chosen_by
from orders.models import Order
from orders.status import ExportKind

# How a file is called, and the page of an order that sends its own.
NAMES = {ExportKind.SLIPS: "packing-slip", ExportKind.INVOICES: "invoice"}


class PrintAdmin(DownloadAdmin):
    """The list's and the order page's documents, for `OrderAdmin` to have."""

    download_actions = (*DownloadAdmin.download_actions, "packing_slips", "invoices")

    def has_print_permission(self, request: HttpRequest) -> bool:
        """Tell whether the desk offers documents."""
        return actor_of(request).may_print()

    @admin.action(description="Packing slips (PDF)", permissions=["print"])
    def packing_slips(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Send the selected orders' packing slips in one file."""
        return self._printed(ExportKind.SLIPS, request, queryset)

    @admin.action(description="Invoices (PDF)", permissions=["print"])
    def invoices(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Send the selected orders' invoices in one file."""
        return self._printed(ExportKind.INVOICES, request, queryset)

    def get_urls(self) -> list[URLPattern]:
        """Add each order's documents."""
        return [
            *(
                path(
                    f"<int:key>/{name}.pdf",
                    self.admin_site.admin_view(require_safe(self.document_view)),
                    {"kind": kind},
                    name=f"orders_order_{kind}",
                )
                for kind, name in NAMES.items()
            ),
            *super().get_urls(),
        ]

    def document_view(self, request: HttpRequest, key: int, *, kind: ExportKind) -> HttpResponse:
        """Send one order's document. Like its page, that is looking, and is not recorded."""
        if not self.has_view_permission(request) or not self.has_print_permission(request):
            raise PermissionDenied
        order = get_object_or_404(self.model, pk=key)
        (chunk,) = exports.pdf_of(kind, [order.pk])
        return _pdf(chunk.data, f"{NAMES[kind]}-{order.pk}")

    def _printed(
        self, kind: ExportKind, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        """Send one file of the orders, oldest first; too many are refused and told so."""
        most = exports.MOST_PRINTED
        numbers = list(queryset.order_by("pk").values_list("pk", flat=True)[: most + 1])
        if len(numbers) > most:
            text = f"More than {most:,} orders are selected, which is the most in one file."
            self.message_user(request, text, messages.ERROR)
            return None
        try:
            running = exports.begin(
                kind,
                exports.pdf_of(kind, numbers),
                actor=actor_of(request),
                selection=chosen_by(request, numbers),
            )
        except exports.TooManyExports as exc:
            self.message_user(request, str(exc), messages.ERROR)
            return None
        try:
            data = b"".join(running)
        finally:
            running.close()
        return _pdf(data, f"{NAMES[kind]}s-{timezone.now():%Y%m%d-%H%M}")


def _pdf(data: bytes, name: str) -> HttpResponse:
    # As a file of its own: our content security policy lets no viewer run within a page.
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return HttpResponse(data, content_type="application/pdf", headers=headers)
