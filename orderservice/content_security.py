"""What a browser may run and load of our answers: nothing, but for the admin's pages.

docs/adr/0006-content-security-policy.md says what the admin's theme forces.
"""

from csp.constants import NONE, SELF, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

NOTHING = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}

# Alpine.js, which the theme is driven by, compiles its attributes: that is what eval is for.
ADMIN_PAGES = NOTHING | {
    "connect-src": [SELF],
    "font-src": [SELF],
    "form-action": [SELF],
    "img-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF],
}

# What customers see; the pages on which they sign in have forms, too.
CUSTOMERS_PAGES = NOTHING | {
    "connect-src": [SELF],
    "img-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
}
CUSTOMERS_FORMS = CUSTOMERS_PAGES | {"form-action": [SELF]}


class ContentSecurityMiddleware(CSPMiddleware):
    """Sends `NOTHING` with every answer, and `ADMIN_PAGES` below the admin's address.

    A view's own ``csp.decorators.csp`` goes before both.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the parts of the policy for one answer."""
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            is_admin = request.path.startswith(reverse("admin:index"))
            parts.config = ADMIN_PAGES if is_admin else NOTHING
        return parts
