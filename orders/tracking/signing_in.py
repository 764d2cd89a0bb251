"""Customers sign in and out: the same steps, lock-out and rate as at the admin, in the shop's look.

It opens nothing of the admin to them: that asks for staff, whichever way they have signed in.
"""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from orders.signin import pages
from orders.tracking import answers


@method_decorator(answers.form, name="dispatch")
class SignInView(pages.PasswordView):
    """The first step. Whoever is signed in may do it again, as somebody else."""

    authentication_form = AuthenticationForm
    template_name = "orders/tracking/sign_in.html"
    next_page = "tracking:sign_in"
    code_page = "tracking:code"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign somebody in, unless attempts come faster than people make them."""
        return pages.too_fast(request) or super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page needs, with its frame."""
        return super().get_context_data(**answers.frame(self.request), **kwargs)


@method_decorator([answers.form, sensitive_post_parameters("code")], name="dispatch")
class CodeView(pages.CodeView):
    """The second step, for those who have a second factor."""

    template_name = "orders/tracking/code.html"
    next_page = "tracking:sign_in"
    password_page = "tracking:sign_in"  # noqa: S105 - a page's name

    def frame(self) -> dict[str, Any]:
        """Return what stands around the page: the shop."""
        return answers.frame(self.request)


@method_decorator([answers.form, never_cache], name="dispatch")
class SignOutView(View):
    """Asks before it signs out: an order's page, which links here, can have no form of its own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return render(request, "orders/tracking/sign_out.html", answers.frame(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign out."""
        logout(request)
        return HttpResponseRedirect(reverse("tracking:sign_in"))
