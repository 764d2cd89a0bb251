"""The review desk: movements of which only a person can say whether they were applied."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders import lifecycle
from orders.admin import evidence, words
from orders.admin.base import PageAdmin, actor_of
from orders.errors import NotInReview
from orders.models import StockMovement
from orders.status import MovementState


@admin.register(StockMovement)
class ReviewAdmin(PageAdmin[StockMovement]):
    """The list has what waits for a decision; a page stays when it is decided, and says so."""

    list_display = ("product", "order", "change", "waiting")
    list_per_page = 50
    list_select_related = ("confirmation",)
    ordering = ("resolved_at", "pk")  # since when it has been in review; an index serves it
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        """Return what waits for a decision."""
        return super().get_queryset(request).filter(state=MovementState.REVIEW)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> StockMovement | None:
        """Find a movement that is decided, too."""
        try:
            found = StockMovement.objects.filter(pk=UUID(object_id))
        except ValueError:
            return None
        return found.select_related("confirmation__order").first()

    @admin.display(description="Product")
    def product(self, movement: StockMovement) -> str:
        """The product's id, which leads to the movement's page."""
        return movement.product_id

    @admin.display(description="Order")
    def order(self, movement: StockMovement) -> SafeString:
        """The order's number, which leads to the order."""
        number = movement.confirmation.order_id
        link = reverse("admin:orders_order_change", args=[number])
        return format_html('<a class="orders-link" href="{}">#{}</a>', link, number)

    @admin.display(description="Change")
    def change(self, movement: StockMovement) -> str:
        """Pieces that it should take or give back."""
        return words.change(movement.delta)

    @admin.display(description="In review for")
    def waiting(self, movement: StockMovement) -> SafeString | str:
        """For how long it has been waiting."""
        return words.since(movement.resolved_at) if movement.resolved_at else ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what kind of list it is."""
        return super().changelist_view(request, {"title": "Review desk"} | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        """Add where a decision is sent to."""
        decide = self.by_post(self.decide_view)
        return [
            path("<uuid:key>/decide/", decide, name="orders_stockmovement_decide"),
            *super().get_urls(),
        ]

    def page(self, request: HttpRequest, movement: StockMovement, /) -> HttpResponse:
        """Show the evidence, and to those who may decide the two buttons."""
        form = evidence.DecisionForm(initial={"fence": movement.fence})
        return self._page(request, movement, form)

    def _page(
        self,
        request: HttpRequest,
        movement: StockMovement,
        form: evidence.DecisionForm,
        status: int = 200,
    ) -> HttpResponse:
        may = movement.state == MovementState.REVIEW and actor_of(request).may("review")
        context = evidence.context(movement, form if may else None)
        return self.show(request, "orders/review.html", context, status)

    def decide_view(self, request: HttpRequest, movement: StockMovement) -> HttpResponse:
        """Write the decision down, unless somebody was faster; then go on to the next one."""
        actor = actor_of(request)
        if not self.has_view_permission(request) or not actor.may("review"):
            raise PermissionDenied
        form = evidence.DecisionForm(request.POST)
        if not form.is_valid():
            return self._page(request, movement, form, status=422)
        applied = form.cleaned_data["applied"]
        try:
            order = lifecycle.resolve(
                movement.pk,
                applied=applied,
                note=form.cleaned_data["note"],
                actor=actor,
                expected_fence=form.cleaned_data["fence"],
            )
        except NotInReview:
            self.message_user(request, _too_late(movement), messages.ERROR)
            return redirect(self.page_url(movement.pk))
        except OperationalError:  # a lock that somebody holds for too long
            connection.close_if_unusable_or_obsolete()
            text = "The database is busy; nothing was done. Try again."
            self.message_user(request, text, messages.ERROR)
            return redirect(self.page_url(movement.pk))
        what = f"{words.change(movement.delta)} × {movement.product_id} of {order}"
        text = f"{what}: {'applied' if applied else 'not applied'}. The order goes on by itself."
        self.log_change(request, movement, text)
        self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:orders_stockmovement_changelist")


def _too_late(movement: StockMovement) -> str:
    """Return why nothing was decided: who was faster, and what they said."""
    decided = evidence.decisions(movement)
    why = f"{decided[-1]}, before you" if decided else "it waits for no decision any more"
    return f"Nothing was done: {why}."
