"""What each process of a chaos run does as it starts: shorten its times, and put the steps in."""

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponseBase

from inventory_client import client
from inventory_client.breaker import Breaker
from orders.lifecycle import cancelling, confirming
from orders.stock import timing
from tests.chaos import ablations
from tests.chaos.pace import Orders, Pace
from tests.chaos.steps import Steps

steps = Steps(Orders.received())


def install() -> None:
    """Make this process live at the run's pace, with its steps and without the ablated rule."""
    orders = Orders.received()
    _set_pace(orders.pace)
    if orders.ablation:
        ablations.INSTALL[orders.ablation]()
    steps.install()


def _set_pace(pace: Pace) -> None:
    times: dict[object, dict[str, object]] = {
        timing: {
            "GUARD": pace.guard,
            "LEASE_MARGIN": pace.margin,
            "STAY": pace.stay,
            "TURN": pace.turn,
            "BUSY_PLACE": 0.02,
            "BACKOFF_CAP": 1.0,
            "CHECK_AGAIN": 0.5,
            "YIELD_TO_OLDER": 0.2,
            "WAIT_FOR_REVERSAL": 0.5,
        },
        confirming: {"HOLD": pace.hold, "WORKER_TAKES_OVER": timedelta(seconds=pace.hold + 1)},
        cancelling: {"HOLD": pace.hold},
        client: {
            "Breaker": lambda failures, open_seconds: Breaker(
                failures=failures, open_seconds=pace.breaker
            )
        },
    }
    for module, values in times.items():
        for name, value in values.items():
            setattr(module, name, value)
    for module, verb in ((confirming, "confirm"), (cancelling, "cancel")):
        function = getattr(module, verb)  # its default was evaluated with the true HOLD
        function.__kwdefaults__ = {**function.__kwdefaults__, "hold": pace.hold}


class BeforeAcknowledging:
    """The outermost middleware: an order is committed, and its 201 has not left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as ever, unless the process is to die first."""
        response = self._get_response(request)
        if response.status_code == 201:
            steps.reach("before_201")
        return response
