"""The order list and the order page. Nothing about an order can be edited here: verbs change it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from orders.actor import Actor
from orders.admin import page, words
from orders.admin.actions import MOST_AT_ONCE, VERBS, Outcome, permitted, run
from orders.admin.base import ModelAdmin
from orders.models import Order, OrderItem, User
from orders.queries import OrderFilter
from orders.status import Door


def actor_of(request: HttpRequest) -> Actor:
    """Return the member of staff behind a request, at the admin's door."""
    user = request.user
    return Actor(via=Door.ADMIN, user=user if isinstance(user, User) else None)


@admin.register(Order)
class OrderAdmin(ModelAdmin[Order]):
    """Orders can be looked at by who may view them, and changed by verbs alone."""

    actions = ("confirm", "complete", "cancel")
    list_display = (
        "called",
        "customer",
        "items_at_a_glance",
        "amount",
        "state",
        "stock",
        "waiting",
    )
    list_filter = ("status", "stock_state", "created_at")
    list_per_page = 50
    ordering = ("-number",)
    sortable_by = ("called",)  # the one column whose order an index serves
    search_fields = ("number",)  # shows the field; the search is our own
    search_help_text = "Number, name, e-mail or product"
    show_facets = admin.ShowFacets.NEVER  # each would be a COUNT(*)
    show_full_result_count = False

    # --- who may ---------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Orders are placed by customers, through the API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """No field of an order is editable."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """An order's history is kept."""
        return False

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

    # --- the list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Return the orders with their items, whatever their number in a query of their own."""
        items = Prefetch("items", queryset=OrderItem.objects.order_by("pk"))
        return super().get_queryset(request).prefetch_related(items)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Search as the API's ``q`` does; no row is found twice."""
        wanted = OrderFilter(q=search_term.strip() or None)
        return queryset.filter(wanted.conditions()), False

    @admin.display(description="Order", ordering="number")
    def called(self, order: Order) -> str:
        """What people call the order."""
        return str(order)

    @admin.display(description="Customer")
    def customer(self, order: Order) -> SafeString:
        """Name and e-mail."""
        return format_html(
            '<span class="orders-customer">{}<br><small>{}</small></span>',
            order.full_name,
            order.email,
        )

    @admin.display(description="Items")
    def items_at_a_glance(self, order: Order) -> str:
        """The first few items."""
        return words.glance(order.items.all())

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """The total with its currency."""
        return words.money(order.total, order.currency)

    @admin.display(description="Status")
    def state(self, order: Order) -> SafeString:
        """The status, coloured."""
        return words.status_badge(order.status)

    @admin.display(description="Stock", empty_value="")
    def stock(self, order: Order) -> SafeString | str:
        """The stock state, unless all is well."""
        return words.stock_badge(order.stock_state)

    @admin.display(description="Age")
    def waiting(self, order: Order) -> SafeString:
        """How old the order is; when exactly it was placed, on hovering."""
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            order.created_at.isoformat(),
            f"{order.created_at:%Y-%m-%d %H:%M %Z}",
            words.age(order.created_at, timezone.now()),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 403 to a verb that the list would not have offered; Django would show the list."""
        for verb in VERBS.keys() & set(request.POST.getlist("action")):
            if verb not in self.get_actions(request):
                raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.action(description="Confirm: take the stock", permissions=["confirm"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Confirm the selected orders."""
        self._run_selected("confirm", request, queryset)

    @admin.action(description="Complete: the goods have left", permissions=["complete"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Complete the selected orders."""
        self._run_selected("complete", request, queryset)

    @admin.action(description="Cancel: give the stock back", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Cancel the selected orders."""
        self._run_selected("cancel", request, queryset)

    def _run_selected(self, verb: str, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        most = MOST_AT_ONCE
        numbers = list(queryset.order_by("pk").values_list("pk", flat=True)[: most + 1])
        if len(numbers) > most:
            text = f"More than {most} orders are selected, which is the most at once; nothing done."
            self.message_user(request, text, messages.ERROR)
            return
        self._tell(request, run(verb, numbers, actor_of(request)))

    def _tell(self, request: HttpRequest, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.message_user(request, outcome.text, outcome.level)

    # --- the order page --------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add where the page's forms are sent to."""
        return [
            *(
                path(
                    f"<int:number>/{verb}/",
                    self._by_post(self.verb_view),
                    {"verb": verb},
                    name=f"orders_order_{verb}",
                )
                for verb in VERBS
            ),
            path("<int:number>/note/", self._by_post(self.note_view), name="orders_order_note"),
            *super().get_urls(),
        ]

    def _by_post(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Let staff alone POST to a view, and nobody GET it.

        Whoever must sign in first comes back to the order's page: after signing in, a browser GETs.
        """

        def guarded(request: HttpRequest, number: int, **kwargs: str) -> HttpResponse:
            if not self.admin_site.has_permission(request):
                return redirect_to_login(_page_url(number), reverse("admin:login"))
            return view(request, get_object_or_404(Order, pk=number), **kwargs)

        return require_POST(guarded)

    def verb_view(self, request: HttpRequest, order: Order, *, verb: str) -> HttpResponse:
        """Do what a button of the order page says, unless the order has changed since."""
        actor = actor_of(request)
        if not self.has_view_permission(request) or not permitted(actor, verb, order):
            raise PermissionDenied
        form = page.VerbForm(request.POST)
        if form.is_valid():
            self._tell(request, run(verb, [order.number], actor, **form.cleaned_data))
        else:
            self._refuse(request, form.errors.values())
        return redirect(_page_url(order.number))

    def note_view(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Add a note to the order."""
        if not self.has_view_permission(request) or not request.user.has_perm(
            "orders.add_ordernote"
        ):
            raise PermissionDenied
        form = page.NoteForm(request.POST)
        if form.is_valid():
            order.notes.create(author=actor_of(request).user, text=form.cleaned_data["text"])
        else:
            self._refuse(request, form.errors.values())
        return redirect(_page_url(order.number))

    def _refuse(self, request: HttpRequest, faults: Any) -> None:
        for fault in faults:
            self.message_user(request, f"Nothing was done: {' '.join(fault)}", messages.ERROR)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the order; there is no form to send."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return super().change_view(request, object_id, form_url, extra_context)

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
            context |= page.context(obj, actor_of(request))
        return super().render_change_form(request, context, add, change, form_url, obj)


def _page_url(number: int) -> str:
    return reverse("admin:orders_order_change", args=[number])
