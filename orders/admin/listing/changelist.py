"""The order list as Django's admin asks for it, but in pages by key, and without counting a table.

An address that can't be understood lists nothing and says why: what is done to "all that match"
must never reach more orders than somebody has meant.
"""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from orders import queries
from orders.admin.base import actor_of
from orders.admin.listing import rows, saved, tabs
from orders.admin.listing.form import DJANGO_OWN, FilterForm
from orders.admin.listing.place import ENDS, JumpForm, place, ways_from
from orders.models import Order
from orders.queries import Count, Page, Sort

NOTHING = Page([], more_below=False, more_above=False, count=Count(0))


class OrderList(ChangeList):
    """A page of the orders that the address asks for, and the ways to the other pages."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Order, Order]:
        """Return all orders that match, on whatever page; actions and exports start from it."""
        self.form = FilterForm(request.GET)
        self.faults = self.form.faults()
        self._keep_what_narrows(request)
        self.filter_specs = []
        self.has_filters = False  # unfold's; the panel is our own
        self.has_active_filters = bool(self.form.in_use)
        self.clear_all_filters_qs = "?"
        orders = self.root_queryset.order_by(*self._sort(request))
        if self.faults:
            self.found = queries.Found(orders.none())
        else:
            self.found = queries.find_all(orders, self.form.wanted())
        return self.found.orders()

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, with no more statements for many orders than for one."""
        self.note = ""
        # What is done to orders leads to another page: nothing of this one will be seen.
        unseen = request.method == "POST" and ACTION_CHECKBOX_NAME in request.POST
        page = NOTHING if self.faults or unseen else self._page(request)
        rows = self.root_queryset.in_bulk(page.numbers)
        shown = [rows[number] for number in page.numbers if number in rows]
        self.result_list = shown[::-1] if self.ascending else shown
        self.result_count = page.count
        self.full_result_count = page.count  # the page's end says it, and the heading need not
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.ways = [
            {"name": name, "link": self.get_query_string(where) if where else ""}
            for name, where in ways_from(page, self.sort).items()
        ]
        self.jump = JumpForm(auto_id="jump_%s")
        self.tabs = [] if unseen else tabs.tabs(self.form.in_use)
        self.saved = [] if unseen else saved.kept(request.user, self.form)
        self.save = saved.SaveForm({"query": saved.canonical(self.form)}, auto_id="save_%s")
        self.may_share = actor_of(request).may("share")

    @property
    def headers(self) -> list[dict[str, Any]]:
        """The columns' headers."""
        return rows.headers(self)

    @property
    def rows(self) -> list[SafeString]:
        """The cells of each order of the page."""
        return rows.rows(self)

    @property
    def in_all(self) -> str:
        """How many orders there are, or match, in words."""
        one = self.result_count == 1
        noun = "order" if one else "orders"
        if not self.has_active_filters:
            return f"{self.result_count} {noun}"
        return f"{self.result_count} {noun} {'matches' if one else 'match'}"

    @property
    def chips(self) -> list[dict[str, str]]:
        """Each filter in use in words, with the address of the list without it."""
        return [
            {"text": text, "link": self.get_query_string({name: None})}
            for name, text in self.form.in_words().items()
        ]

    @property
    def kept_beside(self) -> dict[str, str]:
        """What the filter panel hands on: all that is not a field of it."""
        panel = {field.name for field in self.form.shown}
        return {name: value for name, value in self.params.items() if name not in panel}

    def _keep_what_narrows(self, request: HttpRequest) -> None:
        """Forget the parameters that this page alone has: Django hands on all that there are."""
        kept = self.form.in_use.keys() | DJANGO_OWN | {ORDER_VAR}
        self.params = {name: value for name, value in self.params.items() if name in kept}
        self.filter_params = {
            name: values[-1:] for name, values in request.GET.lists() if name in kept
        }

    def _sort(self, request: HttpRequest) -> list[str]:
        """Return how the list is sorted: by number, or by age where a filter is about that."""
        first = str(self.get_ordering(request, self.root_queryset)[0])
        about_age = first.endswith("created_at") or any(
            name.startswith("created_at") for name in self.form.in_use
        )
        self.sort = Sort.AGE if about_age else Sort.NUMBER
        self.ascending = not first.startswith("-")
        return self.sort.ascending if self.ascending else self.sort.descending

    def _page(self, request: HttpRequest) -> Page:
        start = place(request.GET, self.sort, ascending=self.ascending)
        self.note = start.note
        page = queries.page(
            self.found, self.sort, side=start.side, key=start.key, limit=self.list_per_page
        )
        if page.keys or not (page.more_below or page.more_above):
            return page
        # Nothing is beyond the key, or no longer: show the end of the list that it is at.
        self.note = "There is nothing beyond; this is where the list ends."
        end = next(side for side in ENDS.values() if side != start.side)
        return queries.page(self.found, self.sort, side=end, key=None, limit=self.list_per_page)
