"""The named steps at which a process can be told to kill itself, or to oversleep.

They are put around the real functions, in the child process only. A process that reaches a step
for which there is an order (a file of the step's name) takes it, so that exactly one process dies,
notes its death in the journal, and sends itself SIGKILL: nothing is flushed, closed or rolled back.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from django.db import transaction

from inventory_client import InventoryClient, connection
from orders.lifecycle import advancing, cancelling, confirming
from orders.stock import engine, ledger, movements, outcomes, sending
from orders.stock.sending import Sent
from tests.chaos.pace import Orders

_confirmations: ContextVar[tuple[int, ...]] = ContextVar("confirmations", default=())
_reversal: ContextVar[bool] = ContextVar("reversal", default=False)
Function = Callable[..., Any]


class Steps:
    """The steps of this process, and what is ordered for them."""

    def __init__(self, orders: Orders) -> None:
        self._armed = Path(orders.armed)
        self._journal = orders.journal
        self._own: dict[str, float] = {}

    def arm(self, steps: Iterable[str]) -> None:
        """Order a kill for this very process, whatever the others are told."""
        self._own.update(dict.fromkeys(steps, 0.0))

    def reach(self, step: str) -> None:
        """Pass a step: die or oversleep there if that was ordered."""
        pause = self.taken(step)
        if pause is not None:
            self.obey(step, pause)

    def taken(self, step: str) -> float | None:
        """Take the order for a step; None when there is none, 0 to die, else seconds to sleep."""
        if step in self._own:
            return self._own.pop(step)
        taken = self._armed / f"{step}.{os.getpid()}.taken"
        try:
            (self._armed / step).rename(taken)
        except OSError:
            return None
        pause = float(taken.read_text())
        taken.unlink()
        return pause

    def obey(self, step: str, pause: float) -> None:
        """Note it in the journal, then do it."""
        entry = {
            "at": time.time(),
            "what": "pause" if pause else "kill",
            "step": step,
            "pid": os.getpid(),
            "confirmations": _confirmations.get(),
        }
        file = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{json.dumps(entry)}\n".encode())
        os.close(file)
        if not pause:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(pause)

    # --- where the steps are ---------------------------------------------------------------------

    def install(self) -> None:
        """Put the steps around the functions of this process."""
        wrap(confirming, "advance", self._before("after_plan"))
        wrap(cancelling, "advance", self._before("after_reversal_plan"))
        wrap(ledger, "reverse", self._after("after_reversal_plan"))
        wrap(engine, "run", self._running)
        wrap(movements, "claim", self._after("after_claim", when=lambda claimed: claimed))
        wrap(movements, "write_ahead", self._before("after_snapshot"))
        wrap(movements, "begin_read_back", self._after("in_read_back"))
        wrap(sending, "call", self._sending)
        wrap(connection._Connection, "request", self._requesting)
        wrap(InventoryClient, "adjust", self._answered)
        wrap(outcomes, "transition", self._writing_down)
        wrap(advancing, "_close", self._before("before_closing"))
        wrap(ledger, "close", self._after("before_closing_commit"))

    def _before(self, step: str) -> Callable[[Function], Function]:
        def around(real: Function) -> Function:
            def stepped(*args: Any, **options: Any) -> Any:
                self.reach(step)
                return real(*args, **options)

            return stepped

        return around

    def _after(
        self, step: str, when: Callable[[Any], object] = lambda _: True
    ) -> Callable[[Function], Function]:
        def around(real: Function) -> Function:
            def stepped(*args: Any, **options: Any) -> Any:
                result = real(*args, **options)
                if when(result):
                    self.reach(step)
                return result

            return stepped

        return around

    def _running(self, real: Function) -> Function:
        def run(confirmations: Sequence[int], **options: Any) -> Any:
            token = _confirmations.set(tuple(confirmations))
            try:
                return real(confirmations, **options)
            finally:
                _confirmations.reset(token)

        return run

    def _sending(self, real: Function) -> Function:
        """The write-ahead is committed, and nothing was sent."""

        def call(sent: Sent) -> Any:
            is_reversal = sent.movement.delta > 0
            token = _reversal.set(is_reversal)
            try:
                self.reach("mid_reversal" if is_reversal else "after_sent")
                return real(sent)
            finally:
                _reversal.reset(token)

        return call

    def _requesting(self, real: Function) -> Function:
        """The request's bytes are the kernel's; the answer has not been read."""

        def request(self_: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
            real(self_, method, url, *args, **options)
            if url.endswith("/adjust"):
                self.reach("mid_reversal_sent" if _reversal.get() else "after_send")

        return request

    def _answered(self, real: Function) -> Function:
        def adjust(*args: Any, **options: Any) -> Any:
            try:
                return real(*args, **options)
            finally:
                self.reach("after_reversal_response" if _reversal.get() else "after_response")

        return adjust

    def _writing_down(self, real: Function) -> Function:
        def transition(*args: Any, **options: Any) -> None:
            pause = self.taken("before_outcome_commit")
            if pause is None:
                real(*args, **options)
            else:
                with transaction.atomic():
                    real(*args, **options)
                    self.obey("before_outcome_commit", pause)
            self.reach("after_outcome")

        return transition


def wrap(owner: object, name: str, around: Callable[[Function], Function]) -> None:
    """Replace a function of a module or class by what ``around`` makes of it."""
    setattr(owner, name, around(getattr(owner, name)))
