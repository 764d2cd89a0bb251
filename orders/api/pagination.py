"""Pages of a list, and the way from each to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from orders import queries
from orders.actor import Actor
from orders.api import representation
from orders.api.filters import MOST_PAGES, Wanted
from orders.queries import Count, Key, OrderDetails


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


def page_of(actor: Actor, wanted: Wanted) -> ListPage:
    """Return a page of the orders that the caller is shown; one behind the last is empty."""
    is_by_number = wanted.sort is queries.Sort.NUMBER and wanted.filter.is_of_status_alone
    orders, last, count = (_by_number if is_by_number else _filtered)(actor, wanted)
    total = int(count)
    body: dict[str, object] = {
        "data": [representation.order(order) for order in orders],
        "total": total,
        "page": wanted.page,
        "limit": wanted.limit,
        "totalPages": -(-total // wanted.limit),
    }
    if not count.exact:
        body["totalIsEstimate"] = True
    following = None
    if last is not None:
        following = {"cursor": wanted.cursor(last)}
        if wanted.page is not None:  # the next page has the next number
            following["page"] = str(min(wanted.page + 1, MOST_PAGES))
    return ListPage(body, following)


_Listed = tuple[Sequence[OrderDetails], Key | None, Count]
"""The orders of a page; the key of the last one, None where no more follow; how many in all."""


def _by_number(actor: Actor, wanted: Wanted) -> _Listed:
    orders, count = queries.by_number(
        actor,
        status=wanted.filter.status,
        side="above" if wanted.ascending else "below",
        key=None if wanted.key is None else wanted.key[0],
        skip=wanted.skip,
        limit=wanted.limit + 1,
    )
    more, orders = len(orders) > wanted.limit, orders[: wanted.limit]
    return orders, (orders[-1].number,) if more else None, count


def _filtered(actor: Actor, wanted: Wanted) -> _Listed:
    found = queries.find_all(queries.visible_to(actor), wanted.filter)
    side: queries.Side = "above" if wanted.ascending else "below"
    if wanted.key is not None:
        page = queries.page(found, wanted.sort, side=side, key=wanted.key, limit=wanted.limit)
    else:
        page = queries.page_after(
            found, wanted.sort, side=side, skip=wanted.skip, limit=wanted.limit
        )
    keys = page.keys[::-1] if wanted.ascending else page.keys
    details = queries.load_all(page.numbers)
    more = page.more_above if wanted.ascending else page.more_below
    return (
        [details[key[-1]] for key in keys if key[-1] in details],
        keys[-1] if more and keys else None,
        page.count,
    )
