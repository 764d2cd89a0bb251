"""Orders that were confirmed together: the recent batches, and how far each one has got."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from orders.admin import progress, words
from orders.admin.base import PageAdmin
from orders.models import ConfirmationBatch


class Batches(ChangeList):
    """A page of batches, each with its progress and who asked for it, in a statement each."""

    def get_results(self, request: HttpRequest) -> None:
        """Add to the rows what must not be asked row by row."""
        super().get_results(request)
        reached = progress.of(self.result_list)
        people = words.names(batch.actor for batch in self.result_list)
        for batch in self.result_list:
            batch.progress = reached[batch.pk]
            batch.who = people[batch.actor]


@admin.register(ConfirmationBatch)
class BatchAdmin(PageAdmin[ConfirmationBatch]):
    """The list action that confirms many orders opens one; the worker carries it out."""

    list_display = ("called", "who", "orders", "confirmed", "settled", "asked")
    list_per_page = 20
    ordering = ("-pk",)
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows each batch's progress."""
        return Batches

    @admin.display(description="Batch")
    def called(self, batch: ConfirmationBatch) -> str:
        """What people call it."""
        return str(batch).capitalize()

    @admin.display(description="Asked for by")
    def who(self, batch: Any) -> str:
        """Whose orders they were."""
        return str(batch.who)

    @admin.display(description="Orders")
    def orders(self, batch: Any) -> str:
        """How many it is about."""
        return f"{batch.progress.opened:,}"

    @admin.display(description="Confirmed")
    def confirmed(self, batch: Any) -> str:
        """How many have their stock."""
        return f"{batch.progress.counts[progress.Stage.CONFIRMED]:,}"

    @admin.display(description="Progress")
    def settled(self, batch: Any) -> str:
        """How many are through."""
        return str(batch.progress)

    @admin.display(description="Age")
    def asked(self, batch: ConfirmationBatch) -> SafeString:
        """For how long it has been there."""
        return words.since(batch.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what kind of list it is."""
        return super().changelist_view(request, {"title": "Batches"} | (extra_context or {}))

    def page(self, request: HttpRequest, batch: ConfirmationBatch, /) -> HttpResponse:
        """Show the progress; a page that is open asks for that part again until it is done."""
        reached = progress.of([batch])[batch.pk]
        context = {
            "title": self.called(batch),
            "batch": batch,
            "progress": reached,
            "failures": progress.failures(batch),
            "more_failures": max(0, reached.failures - progress.MOST_FAILURES),
            "who": words.names([batch.actor])[batch.actor],
        }
        if "HX-Request" in request.headers:  # only what moves; messages are left to whole pages
            return render(request, "orders/batch_part.html", context)
        return self.show(request, "orders/batch.html", context)
