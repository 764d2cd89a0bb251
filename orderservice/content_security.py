"""What a browser may run and load of our answers: nothing, but for the admin's pages.

docs/adr/0006-content-security-policy.md says what the admin's theme forces.
"""

from functools import cache

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

NOTHING = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}

FILES = [SELF, settings.STATIC_HOST] if settings.STATIC_HOST else [SELF]  # where static files are

# Alpine.js, which the theme is driven by, compiles its attributes: that is what eval is for.
ADMIN_PAGES = NOTHING | {
    "connect-src": [SELF],
    "font-src": FILES,
    "form-action": [SELF],
    "img-src": FILES,
    "script-src": [*FILES, UNSAFE_EVAL],
    "style-src": FILES,
}

# What customers see; the pages on which they sign in have forms, too.
CUSTOMERS_PAGES = NOTHING | {
    "connect-src": [SELF],
    "img-src": FILES,
    "script-src": FILES,
    "style-src": FILES,
}
CUSTOMERS_FORMS = CUSTOMERS_PAGES | {"form-action": [SELF]}


class ContentSecurityMiddleware(CSPMiddleware):
    """Sends `NOTHING` with every answer, and `ADMIN_PAGES` below the admin's address.

    A view's own ``csp.decorators.csp`` goes before both. Neither has a nonce, so that each is put
    together once: for every answer anew it would cost as much as finding the view.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Offer no nonce."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the policy to an answer that has none of its own."""
        if hasattr(response, "_csp_config") or settings.DEBUG:  # or Django's pages for developers
            return super().process_response(request, response)
        is_admin = request.path.startswith(_admin())
        response.headers.setdefault(HEADER, _policy(is_admin=is_admin))
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the parts of the policy for one answer."""
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = ADMIN_PAGES if request.path.startswith(_admin()) else NOTHING
        return parts


@cache
def _admin() -> str:
    return reverse("admin:index")


@cache
def _policy(*, is_admin: bool) -> str:
    return build_policy(config=ADMIN_PAGES if is_admin else NOTHING)
