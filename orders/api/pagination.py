"""Pages of a list, and the way from each to the next."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import QuerySet

from orders import queries
from orders.api import representation
from orders.api.filters import MOST_PAGES, Wanted
from orders.models import Order
from orders.queries import with_details


@dataclass(frozen=True, slots=True)
class ListPage:
    """What the API answers of a list; ``following`` asks for the next page, None at the end."""

    body: dict[str, object]
    following: dict[str, str] | None

    def link(self, path: str, query: dict[str, str]) -> str:
        """Return the ``Link`` header's value (RFC 8288), empty at the list's end.

        ``query`` is the query string that asked for this page.
        """
        if self.following is None:
            return ""
        return f'<{path}?{urlencode(query | self.following)}>; rel="next"'


def page_of(visible: QuerySet[Order], wanted: Wanted) -> ListPage:
    """Return a page of the orders that the caller may see; one behind the last is empty."""
    found = queries.find_all(visible, wanted.filter)
    side: queries.Side = "above" if wanted.ascending else "below"
    if wanted.key is not None:
        page = queries.page(found, wanted.sort, side=side, key=wanted.key, limit=wanted.limit)
    else:
        skip = ((wanted.page or 1) - 1) * wanted.limit
        page = queries.page_after(found, wanted.sort, side=side, skip=skip, limit=wanted.limit)
    keys = page.keys[::-1] if wanted.ascending else page.keys
    rows = with_details(Order.objects.all()).in_bulk(page.numbers)
    total = int(page.count)
    body: dict[str, object] = {
        "data": [representation.order(rows[key[-1]]) for key in keys if key[-1] in rows],
        "total": total,
        "page": wanted.page,
        "limit": wanted.limit,
        "totalPages": -(-total // wanted.limit),
    }
    if not page.count.exact:
        body["totalIsEstimate"] = True
    more = page.more_above if wanted.ascending else page.more_below
    following = None
    if more and keys:
        following = {"cursor": wanted.cursor(keys[-1])}
        if wanted.page is not None:  # the next page has the next number
            following["page"] = str(min(wanted.page + 1, MOST_PAGES))
    return ListPage(body, following)
