"""What staff do to many orders from the list: to a few at once, to more as a batch.

Whatever needs a reason, or is for more orders than the page shows, is asked for on a page that says
what will happen. That page names the selection, so that nothing is done to orders that came into
the filter after it was shown.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import lifecycle
from orders.admin import actions, words
from orders.admin.base import LookOnlyAdmin, actor_of
from orders.admin.listing import all_that_match
from orders.admin.page import dialogs
from orders.models import Order
from orders.status import OrderStatus, Verb

AT_ONCE = 5  # orders; while the browser waits, and each may take seconds when the inventory is slow
MOST = 10_000  # orders in a batch: they are opened in one transaction
_SHOWN = 20  # numbers that the page names

_CONSEQUENCES = {
    Verb.CONFIRM: "Takes the stock of those that are pending and not on hold, oldest first.",
    Verb.COMPLETE: "Final for those that are confirmed: their goods have left.",
    Verb.CANCEL: "Final for those that are pending or confirmed; what was taken is restocked.",
    Verb.HOLD: "Nobody can confirm those that are pending until they are released.",
    Verb.RELEASE: "Those on hold can be confirmed again.",
}


def _unversioned(form: type[forms.Form]) -> type[forms.Form]:
    """Return a dialog's form without the version of its order: a selection has a name instead."""
    return type(form.__name__, (form,), {"expected_version": None})


FORMS = {verb: _unversioned(dialogs.FORMS[verb]) for verb in Verb}


@dataclass(frozen=True, slots=True)
class Selection:
    """The orders that an action is for."""

    numbers: Sequence[int]

    @property
    def name(self) -> str:
        """Return what tells this selection from any other."""
        return hashlib.sha256(repr(list(self.numbers)).encode()).hexdigest()[:16]

    @property
    def shown(self) -> str:
        """Return the first of its numbers, and how many more there are."""
        more = len(self.numbers) - _SHOWN
        first = ", ".join(f"#{number}" for number in self.numbers[:_SHOWN])
        return first + (f" and {more:,} more" if more > 0 else "")

    def by_status(self) -> list[tuple[str, int]]:
        """Return how many there are of each status, in the order of an order's life."""
        rows = Order.objects.filter(pk__in=self.numbers).values_list("status", flat=True)
        counts = Counter(rows)
        return [(status.lower(), counts[status]) for status in OrderStatus if counts[status]]


class OrderBulkAdmin(LookOnlyAdmin[Order]):
    """The list's actions."""

    bulk_actions = ("confirm", "complete", "cancel", "hold", "release")

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Confirm."""
        return actor_of(request).may_batch(Verb.CONFIRM)

    def has_complete_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Complete."""
        return actor_of(request).may_batch(Verb.COMPLETE)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Cancel; each order then asks for the right that it needs."""
        return actor_of(request).may_batch(Verb.CANCEL)

    def has_hold_permission(self, request: HttpRequest) -> bool:
        """Tell whether the list offers Hold and Release."""
        return actor_of(request).may_batch(Verb.HOLD)

    @admin.action(description="Confirm: take the stock", permissions=["confirm"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Confirm the selected orders."""
        return self._do(Verb.CONFIRM, request, queryset)

    @admin.action(description="Complete: the goods have left", permissions=["complete"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Complete the selected orders."""
        return self._do(Verb.COMPLETE, request, queryset)

    @admin.action(description="Cancel: give the stock back…", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Cancel the selected orders, for a reason."""
        return self._do(Verb.CANCEL, request, queryset)

    @admin.action(description="Hold: nobody can confirm…", permissions=["hold"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Put the selected orders on hold, for a reason."""
        return self._do(Verb.HOLD, request, queryset)

    @admin.action(description="Release: end the hold", permissions=["hold"])
    def release(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Release the selected orders."""
        return self._do(Verb.RELEASE, request, queryset)

    # --- how -------------------------------------------------------------------------------------

    def _do(
        self, verb: Verb, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        """Do it, or ask first; None goes back to the list, where messages tell what came of it."""
        numbers = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(numbers) > MOST:
            text = f"More than {MOST:,} orders are selected, the most at once; nothing was done."
            self.message_user(request, text, messages.ERROR)
            return None
        selection = Selection(numbers)
        named = request.POST.get("selection")
        form = FORMS[verb](request.POST if named else None)
        asks = verb in (Verb.CANCEL, Verb.HOLD) or all_that_match(request)
        if asks and not (named == selection.name and form.is_valid()):
            return self._ask(verb, request, selection, form, changed=bool(named))
        answers = form.cleaned_data if asks else {}
        if len(numbers) > AT_ONCE:
            return self._open_batch(verb, request, numbers, **answers)
        for outcome in actions.run(verb, numbers, actor_of(request), **answers):
            self.message_user(request, outcome.text, outcome.level)
        return None

    def _ask(
        self,
        verb: Verb,
        request: HttpRequest,
        selection: Selection,
        form: forms.Form,
        *,
        changed: bool,
    ) -> HttpResponse:
        count = len(selection.numbers)
        context = {
            "title": f"{words.ASKED[verb]} {count:,} {'order' if count == 1 else 'orders'}",
            "verb": verb,
            "consequence": _CONSEQUENCES[verb],
            "selection": selection,
            "has_changed": changed and request.POST["selection"] != selection.name,
            "form": form,
            "is_across": all_that_match(request),
            "is_dangerous": verb is Verb.CANCEL,
            "back": request.get_full_path(),
        }
        return self.show(request, "orders/bulk.html", context)

    def _open_batch(
        self, verb: Verb, request: HttpRequest, numbers: list[int], **answers: str
    ) -> HttpResponse | None:
        """Leave the orders to the worker, and go where its progress shows."""
        try:
            batch = lifecycle.open_batch(verb, numbers, actor=actor_of(request), **answers)
        except OperationalError:  # a lock that somebody holds for too long
            connection.close_if_unusable_or_obsolete()
            text = "The database is busy; nothing was done. Try again."
            self.message_user(request, text, messages.ERROR)
            return None
        return redirect("admin:orders_batch_change", batch.pk)
