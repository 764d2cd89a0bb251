"""Who does something to an order, and through which door."""

from __future__ import annotations

from dataclasses import dataclass

from orders.errors import Forbidden
from orders.models import Order, User
from orders.roles import VERB_PERMISSIONS
from orders.status import Door, ExportKind, OrderStatus, Verb


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, a guest (no user), or the operator of this machine (``trusted``)."""

    via: Door
    user: User | None = None
    trusted: bool = False

    @classmethod
    def system(cls, via: Door) -> Actor:
        """Return the one who acts on this machine's own behalf; may do everything."""
        return cls(via=via, trusted=True)

    @property
    def label(self) -> str:
        """Return how events name the actor: no personal data."""
        if self.user is not None:
            return f"user:{self.user.pk}"
        return "system" if self.trusted else "guest"

    def may(self, verb: str) -> bool:
        """Tell whether the actor's roles allow the verb."""
        if self.trusted:
            return True
        return self.user is not None and self.user.has_perm(VERB_PERMISSIONS[verb])

    def owns(self, order: Order) -> bool:
        """Tell whether the order is this customer's own."""
        return self.user is not None and order.owner_id == self.user.pk

    def require(self, verb: str) -> None:
        """Raise `Forbidden` unless the actor's roles allow the verb."""
        if not self.may(verb):
            raise Forbidden(verb)

    def require_operator(self, verb: str) -> None:
        """Raise `Forbidden` unless it is the operator of this machine, or the machine itself."""
        if not self.trusted:
            raise Forbidden(verb)

    def may_batch(self, verb: Verb) -> bool:
        """Tell whether the actor may ask for the verb for many orders.

        Of those that are to be cancelled each needs a right of its own, which its turn will ask.
        """
        return self.may(verb) or (verb is Verb.CANCEL and self.may("restock"))

    def may_cancel(self, order: Order) -> bool:
        """Tell whether the actor may cancel this order as it stands.

        A customer may cancel their own while it is PENDING; what is CONFIRMED gives stock back,
        and that is a permission of its own.
        """
        if order.status == OrderStatus.CONFIRMED:
            return self.may("restock")
        return self.owns(order) or self.may("cancel")

    def may_print(self) -> bool:
        """Tell whether the actor may make packing slips and invoices.

        They go into the parcel: who sends orders out needs both, and who may export may anyway.
        """
        return self.may("complete") or self.may("export")

    def may_export(self, kind: ExportKind) -> bool:
        """Tell whether the actor may take this kind of file out."""
        printed = kind in (ExportKind.SLIPS, ExportKind.INVOICES)
        return self.may_print() if printed else self.may("export")

    def require_cancel(self, order: Order) -> None:
        """Raise `Forbidden` unless the actor may cancel this order as it stands."""
        if not self.may_cancel(order):
            raise Forbidden("restock" if order.status == OrderStatus.CONFIRMED else "cancel")
