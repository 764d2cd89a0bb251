"""Whether the prices of an order are the catalogue's; asking changes nothing.

Without ``CATALOG_SERVICE_URL`` nobody is asked: no client is made, and no thread is started.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from math import ceil

import structlog
from django.conf import settings

from inventory_client import CatalogueClient, CatalogueUnavailable
from orders import errors, outgoing
from orders.errors import PriceChange, PriceChanged
from orders.status import PriceSource
from orderservice.metrics import instruments

log = structlog.get_logger(__name__)


@cache
def client() -> CatalogueClient:
    """Return the client that the settings describe; it pools its connections."""
    catalogue = CatalogueClient(
        settings.CATALOG_SERVICE_URL,
        timeout=settings.CATALOG_TIMEOUT_SECONDS,
        observer=outgoing.Watched("catalogue"),
    )
    instruments.breaker_open.labels("catalogue").set_function(lambda: catalogue.is_shut_off)
    return catalogue


def compare(sent: Sequence[tuple[str, Decimal]]) -> PriceSource:
    """Compare products' prices as sent with the catalogue's; return whose prices they now are.

    Raises `PriceChanged`, which names every difference; `CatalogueUnavailable` when the catalogue
    gives no usable answer, or when as many calls are under way as this process can afford.
    """
    if not settings.CATALOG_SERVICE_URL:
        return PriceSource.SENT
    current = _current([product_id for product_id, _ in sent])
    changes = [
        PriceChange(product_id, price, current[product_id])
        for product_id, price in sent
        if price != current[product_id]
    ]
    if changes:
        raise PriceChanged(changes)
    return PriceSource.CATALOGUE


def _current(product_ids: Sequence[str]) -> dict[str, Decimal | None]:
    try:
        with outgoing.slot():
            found = client().prices(product_ids, request_id=outgoing.request_id())
    except CatalogueUnavailable as exc:
        outgoing.log_failure("catalogue_call_failed", exc)
        raise errors.CatalogueUnavailable(retry_after=ceil(exc.retry_after or 5)) from exc
    except outgoing.NoCallToSpare as exc:
        raise errors.CatalogueUnavailable(retry_after=1) from exc
    if found and all(price is None for price in found.values()):
        # A stranger's inventions; or the URL leads elsewhere, and so each order will end.
        log.warning("catalogue_knows_none", products=len(found))
    return found
