"""Rates of the API's calls: what is refused with 429, and the headers that tell what is left.

``RateLimit`` and ``RateLimit-Policy`` are those of the IETF's draft "RateLimit header fields for
HTTP" (draft-ietf-httpapi-ratelimit-headers-10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.throttling import BaseThrottle

from orders.models import ApiKey, User
from orders.throttling import Taken, take
from orderservice.client_address import client_network
from orderservice.rates import Scope

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class CallThrottle(BaseThrottle):
    """Counts a call in the scope that its view names for the method, for whoever calls.

    An API key has a rate of its own for all its calls: a whole shop may stand behind it.
    """

    taken: Taken | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Tell whether the call is within the rate; what is left goes into the answer.

        ``view`` names the scope of a method's calls in ``throttle_scopes``, and learns in ``taken``
        what is left.
        """
        method = "GET" if request.method == "HEAD" else request.method  # it costs as much
        scope = view.throttle_scopes.get(method)
        if scope is None:
            return True
        self.taken = view.taken = take(*_counted(request, scope))
        return self.taken is None or self.taken.allowed

    def wait(self) -> float | None:
        """Return the seconds after which the call may be repeated."""
        return None if self.taken is None else self.taken.reset


def tell(response: Response, taken: Taken | None) -> None:
    """Write what is left of the rate into an answer."""
    if taken is None:
        return
    policy = f'"{taken.scope}";q={taken.rate.limit};w={taken.rate.seconds}'
    response["RateLimit-Policy"] = policy
    response["RateLimit"] = f'"{taken.scope}";r={taken.remaining};t={taken.reset}'


def _counted(request: Request, scope: Scope) -> tuple[Scope, str]:
    """Return in which scope a call counts, and for whom."""
    credential: Any = request.auth
    if isinstance(credential, ApiKey):
        return Scope.KEYS, credential.prefix
    if isinstance(request.user, User) and scope is not Scope.TOKENS:
        return scope, f"user:{request.user.pk}"
    return scope, client_network(request) or "nowhere"
