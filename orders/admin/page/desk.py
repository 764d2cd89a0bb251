"""The order page and where its forms are sent to; the lifecycle decides what comes of them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from orders import lifecycle, queries
from orders.actor import Actor
from orders.admin import actions, words
from orders.admin.base import LookOnlyAdmin, actor_of
from orders.admin.page import amending, contents, dialogs, livestock, timeline
from orders.admin.page.amending import Sheet
from orders.errors import BeingConfirmed, NotPending, StaleVersion
from orders.lifecycle import lines
from orders.models import Order, OrderEvent
from orders.status import Verb

MOST_CHANGES = 20  # that somebody is told who was slower


class OrderPageAdmin(LookOnlyAdmin[Order]):
    """An order's own page, the dialogs of its verbs, its correction and its live stock."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the verbs, and where the page's forms are sent to."""
        views = {
            "amend": self.by_staff(self.amend_view),
            "note": self.by_post(self.note_view),
            "stock": self.by_staff(self.stock_view),
        }
        verb_view = self.by_staff(self.verb_view)
        return [
            *(
                path(f"<int:key>/{verb}/", verb_view, {"verb": verb}, name=f"orders_order_{verb}")
                for verb in Verb
            ),
            *(
                path(f"<int:key>/{name}/", view, name=f"orders_order_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Order | None = None,
    ) -> HttpResponse:
        """Add what the order page shows to Django's context of a change form."""
        if obj is not None:
            everything = "everything" in request.GET
            context |= contents.context(obj, actor_of(request), everything=everything)
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- the verbs -------------------------------------------------------------------------------

    def verb_view(self, request: HttpRequest, order: Order, *, verb: str) -> HttpResponse:
        """Show what the verb will do; on POST do it, unless the order has changed since."""
        actor = self._permitted(request, verb, order)
        if request.method != "POST":
            return self._verb_page(request, order, verb)
        form = dialogs.form_of(verb, order, request.POST)
        if not form.is_valid():
            return self._verb_page(request, order, verb, form=form, status=422)
        seen = form.cleaned_data["expected_version"]
        wanted = form.cleaned_data.get("reason", "")
        if actions.is_done(verb, order, reason=wanted) and _done_by_another(order, seen, actor):
            return self._too_slow(request, order, verb, seen)
        [outcome] = actions.run(verb, [order.number], actor, **form.cleaned_data)
        if isinstance(outcome.error, StaleVersion):
            return self._too_slow(request, order, verb, seen)
        self.message_user(request, outcome.text, outcome.level)
        return redirect(self.page_url(order.number))

    def _permitted(self, request: HttpRequest, verb: str, order: Order) -> Actor:
        actor = actor_of(request)
        if not self.has_view_permission(request) or not actions.permitted(actor, verb, order):
            raise PermissionDenied
        return actor

    def _too_slow(self, request: HttpRequest, order: Order, verb: str, seen: int) -> HttpResponse:
        """Tell who was faster, and ask again: what was typed is still there."""
        order.refresh_from_db()
        form = dialogs.again(verb, order, request.POST)
        context = self._changes(request, order, seen)
        return self._verb_page(request, order, verb, form=form, status=409, **context)

    def _verb_page(
        self,
        request: HttpRequest,
        order: Order,
        verb: str,
        *,
        form: dialogs.VerbForm | None = None,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        opened = dialogs.dialog(verb, order, actor_of(request), form)
        shown = {"title": opened.title, "order": order, "dialog": opened} | _badges(order)
        return self.show(request, "orders/verb.html", shown | context, status)

    def _changes(self, request: HttpRequest, order: Order, seen: int) -> dict[str, Any]:
        """Return what happened to the order since, for who may know."""
        changes = None
        if request.user.has_perm("orders.view_orderevent"):
            changes = timeline.told(queries.changes(order, since=seen, most=MOST_CHANGES))
        return {"is_stale": True, "changes": changes}

    # --- its correction --------------------------------------------------------------------------

    def amend_view(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Show what the order says to who may correct it; on POST make it say what was typed."""
        actor = self._permitted(request, "amend", order)
        if request.method != "POST":
            if not actions.legal("amend", order):
                self.message_user(request, dialogs.why_not(order), messages.ERROR)
                return redirect(self.page_url(order.number))
            return self._sheet(request, order, amending.sheet(order))
        sheet = amending.sheet(order, request.POST)
        if not sheet.is_valid():
            return self._sheet(request, order, sheet, status=422)
        seen = sheet.version
        try:
            amended = lifecycle.amend(
                order.number, sheet.amendment(), actor=actor, expected_version=seen
            )
        except StaleVersion:
            order.refresh_from_db()
            changes = self._changes(request, order, seen)
            if not actions.legal("amend", order):
                changes["failure"] = dialogs.why_not(order)
            sheet = amending.sheet(order, request.POST, on_version=order.version)
            return self._sheet(request, order, sheet, status=409, **changes)
        except (NotPending, BeingConfirmed):
            return self._sheet(request, order, sheet, status=409, failure=dialogs.why_not(order))
        except OperationalError:  # a lock that somebody holds for too long
            connection.close_if_unusable_or_obsolete()
            text = "The database is busy; nothing was saved. Try again."
            return self._sheet(request, order, sheet, status=503, failure=text)
        text = f"{order} corrected" if amended.version > seen else f"{order} says so already"
        self.message_user(request, text, messages.SUCCESS)
        return redirect(self.page_url(order.number))

    def _sheet(
        self,
        request: HttpRequest,
        order: Order,
        sheet: Sheet,
        *,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        shown = {
            "title": f"Correct {order}",
            "order": order,
            "sheet": sheet,
            "has_faults": status == 422,
            "can_save": actions.legal("amend", order),
            "said_lines": ", ".join(str(item) for item in lines.of(queries.items(order))),
        } | _badges(order)
        return self.show(request, "orders/amend.html", shown | context, status)

    # --- its notes and its live stock ------------------------------------------------------------

    def note_view(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Add a note to the order; one that can't be kept comes back as it was typed."""
        if not self.has_view_permission(request) or not request.user.has_perm(
            "orders.add_ordernote"
        ):
            raise PermissionDenied
        form = contents.NoteForm(request.POST)
        if not form.is_valid():
            shown = {"title": f"Note on {order}", "order": order, "note_form": form}
            return self.show(request, "orders/note.html", shown, status=422)
        order.notes.create(author=actor_of(request).user, text=form.cleaned_data["text"])
        return redirect(self.page_url(order.number))

    def stock_view(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Show the lines with what the inventory has of each now: a part of the page, or a page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = {"title": f"Stock for {order}"} | livestock.asked(order)
        if "HX-Request" not in request.headers:
            return self.show(request, "orders/stock.html", shown)
        shown["is_stale"] = request.GET.get("seen") not in (None, str(order.version))
        return render(request, "orders/stock_part.html", shown)


def _badges(order: Order) -> dict[str, Any]:
    return {
        "status_badge": words.status_badge(order.status),
        "stock_badge": words.stock_badge(order.stock_state),
    }


def _done_by_another(order: Order, seen: int, actor: Actor) -> bool:
    """Tell whether anybody else changed the order since the actor has seen it."""
    since: list[OrderEvent] = queries.changes(order, since=seen, most=MOST_CHANGES)
    return any(event.actor != actor.label for event in since)
