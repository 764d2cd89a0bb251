"""One verb for many orders: the recent batches, and how far each one has got."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from orders import lifecycle
from orders.admin import progress, words
from orders.admin.base import PageAdmin, actor_of
from orders.models import Batch
from orders.queries import Stage
from orders.status import Verb


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


@admin.register(Batch)
class BatchAdmin(PageAdmin[Batch]):
    """An action of the order list opens one for many orders; the worker carries it out."""

    list_display = ("called", "verb", "who", "orders", "done", "ended", "asked")
    list_per_page = 20
    ordering = ("-pk",)
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows each batch's progress."""
        return Batches

    @admin.display(description="Batch")
    def called(self, batch: Batch) -> str:
        """What people call it."""
        return str(batch).capitalize()

    @admin.display(description="Asked for by")
    def who(self, batch: Any) -> str:
        """Whose orders they were."""
        return str(batch.who)

    @admin.display(description="Orders")
    def orders(self, batch: Any) -> str:
        """How many it is about."""
        return f"{batch.progress.total:,}"

    @admin.display(description="Done")
    def done(self, batch: Any) -> str:
        """How many have become what was asked for."""
        return f"{batch.progress.counts[Stage.DONE]:,}"

    @admin.display(description="Progress")
    def ended(self, batch: Any) -> str:
        """How many are through."""
        return str(batch.progress)

    @admin.display(description="Age")
    def asked(self, batch: Batch) -> SafeString:
        """For how long it has been there."""
        return words.since(batch.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what kind of list it is."""
        return super().changelist_view(request, {"title": "Batches"} | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        """Add where the retry is sent to."""
        view = self.by_post(self.retry_view)
        return [path("<int:key>/retry/", view, name="orders_batch_retry"), *super().get_urls()]

    def retry_view(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Ask once more for what was refused, as a batch of its own."""
        actor = actor_of(request)
        if not self.has_view_permission(request) or not actor.may_batch(Verb(batch.verb)):
            raise PermissionDenied
        return redirect(self.page_url(lifecycle.retry(batch.pk, actor=actor).pk))

    def page(self, request: HttpRequest, batch: Batch, /) -> HttpResponse:
        """Show the progress; a page that is open asks for that part again until it is done."""
        reached = progress.of([batch])[batch.pk]
        context = {
            "title": f"{self.called(batch)}: {batch.verb} {reached.total:,} orders",
            "batch": batch,
            "progress": reached,
            "failures": progress.failures(batch),
            "more_failures": max(0, reached.failures - progress.MOST_FAILURES),
            "who": words.names([batch.actor])[batch.actor],
            "reason": words.REASONS.get(batch.reason, ""),
            "may_retry": reached.finished and actor_of(request).may_batch(Verb(batch.verb)),
        }
        if "HX-Request" in request.headers:  # only what moves; messages are left to whole pages
            return render(request, "orders/batch_part.html", context)
        return self.show(request, "orders/batch.html", context)
