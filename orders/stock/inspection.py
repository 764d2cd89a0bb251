"""Whether the inventory service answers, how fast, and as the settings say that it does."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

from django.conf import settings

from inventory_client import InventoryClient
from inventory_client.errors import InventoryError, NotYet, OutcomeUnknown, Rejected
from orders import outgoing
from orders.models import OrderItem, StockMovement
from orders.status import IN_FLIGHT, MovementState
from orders.stock import inventory

READS = 10
REASON = "check_inventory: is the Idempotency-Key honoured? Taken back at once."
_UNDECIDED = (*IN_FLIGHT, MovementState.PLANNED, MovementState.REVIEW)


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that was seen; not ``fine`` when the settings or the operator must change."""

    text: str
    fine: bool = True


def inspect(product_id: str | None = None) -> Iterator[Observation]:
    """Ask the inventory how it is, and read a product: the last one ordered, unless one is named.

    Changes nothing.
    """
    client = inventory.client()
    yield Observation(
        f"{settings.INVENTORY_SERVICE_URL}, spoken to as {settings.INVENTORY_DIALECT!r}"
    )
    yield _health(client)
    product_id = (
        product_id or OrderItem.objects.order_by("-pk").values_list("product_id", flat=True).first()
    )
    if product_id is None:
        yield Observation("no product was ever ordered: name one with --product", fine=False)
    else:
        yield _bulk_check(client, product_id)
        yield _reads(client, product_id)


def ping() -> Observation:
    """Ask the inventory how it is, for somebody who only looks."""
    started = time.perf_counter()
    try:
        health = inventory.ping()
    except outgoing.NoCallToSpare:
        return Observation("not asked: every call that this process can spare is taken", fine=False)
    except InventoryError as exc:
        return Observation(f"no answer ({exc.code.replace('_', ' ')})", fine=False)
    milliseconds = (time.perf_counter() - started) * 1000
    if not health.ok:
        return Observation(f"{health.status}, its database is {health.database}", fine=False)
    return Observation(f"answered in {milliseconds:.0f} ms")


def _health(client: InventoryClient) -> Observation:
    try:
        health = client.health()
    except InventoryError as exc:
        return Observation(f"health: no answer ({exc})", fine=False)
    return Observation(f"health: {health.status}, its database is {health.database}", health.ok)


def _bulk_check(client: InventoryClient, product_id: str) -> Observation:
    try:
        client.check({product_id: 1})
    except InventoryError as exc:
        return Observation(f"bulk check: no usable answer ({exc}){_advice(exc)}", fine=False)
    return Observation("bulk check: the answer fits the dialect")


def _reads(client: InventoryClient, product_id: str) -> Observation:
    seconds = []
    for _ in range(READS):
        started = time.perf_counter()
        try:
            level = client.read(product_id)
        except InventoryError as exc:
            return Observation(f"product {product_id}: not read ({exc}){_advice(exc)}", fine=False)
        seconds.append(time.perf_counter() - started)
    undated = level.updated_at is None
    return Observation(
        f"product {product_id}: {level.quantity} in stock, read {READS} times,"
        f" p50 {median(seconds) * 1000:.1f} ms, max {max(seconds) * 1000:.1f} ms"
        + (
            ", without updated_at: every unknown outcome will need a person's review"
            if undated
            else ""
        )
    )


def _advice(exc: InventoryError) -> str:
    if exc.code in ("misconfigured", "bad_answer", "invalid_request", "redirected"):
        return ": see INVENTORY_SERVICE_URL, INVENTORY_DIALECT and INVENTORY_API_KEY"
    return ""


def try_idempotency(product_id: str) -> Iterator[Observation]:
    """Add 1 twice under one key, see whether 1 or 2 came of it, and take just that back.

    Takes nothing back when it can't tell what it added, and says so. Does nothing to a product of
    which a movement is under way: the evidence of an unknown outcome must not be blurred.
    """
    if StockMovement.objects.filter(product_id=product_id, state__in=_UNDECIDED).exists():
        yield Observation(
            f"product {product_id} is moving or in review: nothing was tried; name a quiet one",
            fine=False,
        )
        return
    client, key = inventory.client(), f"check-{uuid4()}"
    try:
        before = client.read(product_id).quantity
        first = client.adjust(product_id, 1, reason=REASON, idempotency_key=key).quantity
    except InventoryError as exc:
        perhaps = isinstance(exc, OutcomeUnknown)
        left = f"1 may have been added: look for key {key}" if perhaps else "nothing was changed"
        yield _failed("adding 1", exc, left=left)
        return
    try:
        second = client.adjust(product_id, 1, reason=REASON, idempotency_key=key).quantity
        after = client.read(product_id).quantity
    except (Rejected, NotYet) as exc:  # so just the first 1 was added
        yield _failed("adding 1 again under the same key", exc, left="")
        yield _take_back(client, product_id, 1, key)
        return
    except InventoryError as exc:
        left = f"1 or 2 were added under key {key} and left there: take them back by hand"
        yield _failed("adding 1 again under the same key", exc, left=left)
        return
    added = after - before
    if added not in (1, 2) or first != before + 1 or second != after:
        yield Observation(
            f"Idempotency-Key: somebody else moved product {product_id} meanwhile ({before}, then"
            f" {first}, {second}, {after}); 1 or 2 were added under key {key} and left there:"
            " take them back by hand",
            fine=False,
        )
        return
    yield Observation(f"product {product_id}: added 1 twice under one key, {before} became {after}")
    yield _take_back(client, product_id, added, key)
    yield _verdict(honours=added == 1)


def _take_back(client: InventoryClient, product_id: str, added: int, key: str) -> Observation:
    try:
        client.adjust(product_id, -added, reason=REASON, idempotency_key=f"{key}-back")
    except InventoryError as exc:
        perhaps = "perhaps " if isinstance(exc, OutcomeUnknown) else ""
        left = f"{added} {perhaps}left there: look for key {key}-back, and take it back by hand"
        return _failed(f"taking {added} back", exc, left=left)
    return Observation(f"product {product_id}: {added} taken back")


def _failed(what: str, exc: InventoryError, *, left: str) -> Observation:
    """Say what went wrong, and what it left behind."""
    return Observation(f"Idempotency-Key: {what} failed ({exc})" + (left and f"; {left}"), False)


def _verdict(*, honours: bool) -> Observation:
    configured = settings.INVENTORY_HONOURS_IDEMPOTENCY
    text = f"Idempotency-Key: {'honoured' if honours else 'not honoured'}"
    if honours == configured:
        return Observation(f"{text}, as INVENTORY_HONOURS_IDEMPOTENCY={int(configured)} says")
    danger = "movements may be applied twice" if configured else "reviews could be spared"
    return Observation(
        f"{text}, but INVENTORY_HONOURS_IDEMPOTENCY={int(configured)}: {danger};"
        f" set it to {int(honours)}",
        fine=False,
    )
