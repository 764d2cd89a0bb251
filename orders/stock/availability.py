"""Whether there is enough in stock; asking moves nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil

from inventory_client import InventoryClient
from inventory_client.errors import Rejected, Unavailable
from orders import outgoing
from orders.errors import InventoryRefused, InventoryUnavailable, Shortage
from orders.stock import inventory


def shortages(quantities: Mapping[str, int]) -> list[Shortage]:
    """Ask for all products in one call; return those of which there is too little.

    Raises `InventoryUnavailable` when the service gives no usable answer, or when as many calls
    are under way as this process can afford; `InventoryRefused` for what can't be asked at all.
    """
    with _conversation() as client:
        return ask(client, quantities)


def levels(quantities: Mapping[str, int]) -> dict[str, int]:
    """Ask for all products in one call, for somebody who looks; return the pieces of each.

    A product that the service does not know counts 0. Gives up sooner than `shortages`, and raises
    the same.
    """
    with _conversation(hasty=True) as client:
        answers = client.check(quantities, request_id=outgoing.request_id())
    return {answer.product_id: answer.current_quantity for answer in answers}


def ask(
    client: InventoryClient, quantities: Mapping[str, int], *, within: float | None = None
) -> list[Shortage]:
    """Ask with a client at hand, for so many seconds at most; raises the client's `Unavailable`."""
    answers = client.check(quantities, request_id=outgoing.request_id(), within=within)
    return [
        Shortage(answer.product_id, answer.required_quantity, answer.current_quantity)
        for answer in answers
        if not answer.available
    ]


@contextmanager
def _conversation(*, hasty: bool = False) -> Iterator[InventoryClient]:
    """Lend the client, and raise what goes wrong as the domain's errors."""
    try:
        with inventory.call(hasty=hasty) as client:
            yield client
    except Unavailable as exc:
        inventory.log_failure(exc)
        raise InventoryUnavailable(retry_after=ceil(exc.retry_after or 5)) from exc
    except Rejected as exc:
        inventory.log_failure(exc)
        raise InventoryRefused(exc.detail) from exc
    except outgoing.NoCallToSpare as exc:
        raise InventoryUnavailable(retry_after=1) from exc
