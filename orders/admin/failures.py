"""Confirmations that came to nothing: which orders, why, and who had asked."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString

from orders.admin import words
from orders.admin.base import PageAdmin
from orders.models import Confirmation
from orders.status import ConfirmationState, FailureReason


class Failures(ChangeList):
    """A page of failed confirmations, with the names of who had asked in one statement."""

    def get_results(self, request: HttpRequest) -> None:
        """Add to the rows what must not be asked row by row."""
        super().get_results(request)
        people = words.names(row.actor for row in self.result_list)
        for row in self.result_list:
            row.who = people[row.actor]


class ReasonFilter(admin.SimpleListFilter):
    """Narrows to one reason; named as Django names a field's own filter."""

    title = "reason"
    parameter_name = "failure__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the reasons in words."""
        return [(str(reason), words.FAILURES[reason].capitalize()) for reason in FailureReason]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Confirmation]
    ) -> QuerySet[Confirmation]:
        """Return those of the chosen reason."""
        return queryset.filter(failure=self.value()) if self.value() else queryset


@admin.register(Confirmation)
class FailureAdmin(PageAdmin[Confirmation]):
    """The newest first; each leads to its order, whose page tells the rest."""

    list_display = ("order_called", "why", "who", "failed")
    list_filter = (ReasonFilter, "settled_at")
    list_per_page = 50
    ordering = ("-settled_at", "-pk")  # an index serves it
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows who had asked."""
        return Failures

    def get_queryset(self, request: HttpRequest) -> QuerySet[Confirmation]:
        """Return what was given up for want of stock or of an answer; not what was cancelled."""
        return super().get_queryset(request).filter(state=ConfirmationState.REJECTED)

    @admin.display(description="Order")
    def order_called(self, confirmation: Confirmation) -> str:
        """What people call the order."""
        return f"#{confirmation.order_id}"

    @admin.display(description="Why")
    def why(self, confirmation: Confirmation) -> str:
        """The short products, or the failure in words."""
        return (
            words.shortage(confirmation.shortages)
            or words.FAILURES[FailureReason(confirmation.failure)]
        )

    @admin.display(description="Asked for by")
    def who(self, confirmation: Any) -> str:
        """Who wanted the order confirmed."""
        return str(confirmation.who)

    @admin.display(description="Age")
    def failed(self, confirmation: Confirmation) -> SafeString | str:
        """How long ago it failed."""
        return words.since(confirmation.settled_at) if confirmation.settled_at else ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what kind of list it is."""
        title = {"title": "Failed confirmations"}
        return super().changelist_view(request, title | (extra_context or {}))

    def page(self, request: HttpRequest, confirmation: Confirmation, /) -> HttpResponse:
        """Go to the order."""
        return redirect(reverse("admin:orders_order_change", args=[confirmation.order_id]))
