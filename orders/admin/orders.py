"""What staff do from the order list; no field is edited there: verbs change an order.

The list itself is `orders.admin.listing`, and an order's page `orders.admin.page`.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import lifecycle
from orders.admin.actions import MOST_AT_ONCE, MOST_IN_A_BATCH, VERBS, Outcome, run
from orders.admin.base import actor_of
from orders.admin.listing import OrderListAdmin
from orders.admin.page import OrderPageAdmin
from orders.admin.printing import PrintAdmin
from orders.models import Order


@admin.register(Order)
class OrderAdmin(PrintAdmin, OrderListAdmin, OrderPageAdmin):
    """Orders can be looked at by who may view them, and changed by verbs alone."""

    actions = ("confirm", "complete", "cancel", *PrintAdmin.download_actions)

    # --- who may ---------------------------------------------------------------------------------

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Confirm."""
        return actor_of(request).may("confirm")

    def has_complete_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Complete."""
        return actor_of(request).may("complete")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Cancel; each order then asks for the right that it needs."""
        actor = actor_of(request)
        return actor.may("cancel") or actor.may("restock")

    # --- what the list does ----------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 403 to a verb that the list would not have offered; Django would show the list."""
        for verb in VERBS.keys() & set(request.POST.getlist("action")):
            if verb not in self.get_actions(request):
                raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.action(description="Confirm: take the stock", permissions=["confirm"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Confirm a few orders while the browser waits, more of them as a batch."""
        numbers = self._selected(request, queryset, most=MOST_IN_A_BATCH)
        if len(numbers) > MOST_AT_ONCE["confirm"]:
            return self._confirm_as_batch(request, numbers)
        self._tell(request, run("confirm", numbers, actor_of(request)))
        return None

    @admin.action(description="Complete: the goods have left", permissions=["complete"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Complete the selected orders."""
        self._run_selected("complete", request, queryset)

    @admin.action(description="Cancel: give the stock back", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Cancel the selected orders."""
        self._run_selected("cancel", request, queryset)

    def _run_selected(self, verb: str, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        numbers = self._selected(request, queryset, most=MOST_AT_ONCE[verb])
        self._tell(request, run(verb, numbers, actor_of(request)))

    def _selected(self, request: HttpRequest, queryset: QuerySet[Order], *, most: int) -> list[int]:
        """Return the numbers of the selected orders; none, and say so, when they are too many."""
        numbers = list(queryset.order_by("pk").values_list("pk", flat=True)[: most + 1])
        if len(numbers) <= most:
            return numbers
        text = f"More than {most:,} orders are selected, which is the most at once; nothing done."
        self.message_user(request, text, messages.ERROR)
        return []

    def _confirm_as_batch(self, request: HttpRequest, numbers: list[int]) -> HttpResponse | None:
        """Leave the orders to the worker, and go where its progress shows."""
        try:
            batch = lifecycle.confirm_many(numbers, actor=actor_of(request))
        except OperationalError:  # a lock that somebody holds for too long
            connection.close_if_unusable_or_obsolete()
            text = "The database is busy; nothing was done. Try again."
            self.message_user(request, text, messages.ERROR)
            return None
        return redirect("admin:orders_batch_change", batch.pk)

    def _tell(self, request: HttpRequest, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.message_user(request, outcome.text, outcome.level)
