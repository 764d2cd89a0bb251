"""The audit trail: who took which orders out of the service."""

from django.contrib import admin
from django.utils.safestring import SafeString

from orders.admin import words
from orders.admin.base import LookOnlyAdmin
from orders.models import Export
from orders.status import ExportKind, ExportOutcome

FILES: dict[str, str] = {
    ExportKind.ORDERS: "orders, CSV",
    ExportKind.LINES: "lines, CSV",
    ExportKind.SLIPS: "packing slips, PDF",
    ExportKind.INVOICES: "invoices, PDF",
}
COLOURS: dict[str, str] = {
    ExportOutcome.STARTED: "info",
    ExportOutcome.COMPLETE: "success",
    ExportOutcome.BROKEN_OFF: "warning",
}


@admin.register(Export)
class ExportAdmin(LookOnlyAdmin[Export]):
    """Exports, the newest first; nobody adds, changes or deletes one here."""

    list_display = ("started", "who", "what", "selected", "amount", "state")
    list_display_links = None  # a row says all that there is
    list_filter = ("kind", "outcome", "started_at")
    list_per_page = 50
    list_select_related = ("user",)
    ordering = ("-pk",)
    search_fields = ("user__username",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()

    @admin.display(description="Begun")
    def started(self, export: Export) -> str:
        """When it was asked for."""
        return f"{export.started_at:%Y-%m-%d %H:%M:%S %Z}"

    @admin.display(description="By")
    def who(self, export: Export) -> str:
        """Who took the file."""
        return export.user.get_username()

    @admin.display(description="File")
    def what(self, export: Export) -> str:
        """What kind of file it was."""
        return FILES[export.kind]

    @admin.display(description="Orders chosen by")
    def selected(self, export: Export) -> str:
        """The list's filter, or the orders that were named."""
        return export.selection or "all orders"

    @admin.display(description="Rows")
    def amount(self, export: Export) -> str:
        """How many rows have left."""
        return f"{export.rows:,}"

    @admin.display(description="Outcome")
    def state(self, export: Export) -> SafeString:
        """Whether the whole file was sent."""
        return words.badge(export.outcome.replace("_", " "), COLOURS[export.outcome])
