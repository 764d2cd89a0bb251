"""The pages of the sign-in: password, code, and "try again later"."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from csp.decorators import csp
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, RedirectURLMixin, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from orders.models import User
from orders.signin import steps
from orders.signin.factors import CodeRefused
from orders.signin.forms import CodeForm, PasswordForm
from orders.signin.lockout import locked_until, name_of
from orders.throttling import take
from orderservice.client_address import client_network
from orderservice.content_security import ADMIN_PAGES, CUSTOMERS_FORMS
from orderservice.rates import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    CodeFormView = FormView[CodeForm]
else:
    CodeFormView = FormView


class PasswordView(LoginView):
    """The first step, and the only one for whoever has no second factor."""

    authentication_form: type[AuthenticationForm] = PasswordForm
    template_name = "orders/signin/password.html"
    next_page = "admin:index"
    code_page = "admin:code"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page needs; where mail is sent, it leads to who has no password."""
        return super().get_context_data(offers_reset=settings.SENDS_MAIL, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign the user in, or ask for the code."""
        user = form.get_user()
        if user.has_second_factor:
            steps.half_sign_in(self.request, user)
            asked = urlencode({self.redirect_field_name: self.get_success_url()})
            return HttpResponseRedirect(f"{reverse(self.code_page)}?{asked}")
        steps.sign_in(self.request, user, None)
        response = HttpResponseRedirect(self.get_success_url())
        steps.remember_browser(self.request, response)
        return response


@method_decorator(never_cache, name="dispatch")
class CodeView(RedirectURLMixin, CodeFormView):
    """The second step."""

    form_class = CodeForm
    template_name = "orders/signin/code.html"
    next_page = "admin:index"
    password_page = "admin:login"  # noqa: S105 - a page's name
    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask whoever has shown a password; send others to show one."""
        user = steps.waiting_for_code(request)
        if user is None:
            return redirect_to_login(self.get_success_url(), reverse(self.password_page))
        self.user = user
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        """Sign the user in; say why not."""
        try:
            device = steps.check_code(self.request, self.user, form.cleaned_data["code"])
        except CodeRefused as exc:
            form.add_error("code", str(exc))
            return self.form_invalid(form)
        steps.sign_in(self.request, self.user, device)
        response = HttpResponseRedirect(self.get_success_url())
        steps.remember_browser(self.request, response)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page needs, with its frame."""
        frame = self.frame() | {"title": "Enter a code"}
        where = {self.redirect_field_name: self.get_success_url()}
        return super().get_context_data(**frame, **where, **kwargs)

    def frame(self) -> dict[str, Any]:
        """Return what stands around the page: the admin."""
        return admin.site.each_context(self.request)


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Answer whoever is locked out, in the place of what the view has answered.

    What the API answers stays: it says so in its own way.
    """
    if response is not None and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return response
    until = locked_until(request, name_of(credentials)) or timezone.now()
    return _later(request, until, is_rate=False)


def too_fast(request: HttpRequest) -> HttpResponse | None:
    """Count a sign-in; answer an address from which they are sent faster than people do."""
    taken = take(Scope.LOGIN, client_network(request) or "nowhere")
    if taken is None or taken.allowed:
        return None
    return _later(request, timezone.now() + timedelta(seconds=taken.reset), is_rate=True)


def _later(request: HttpRequest, until: datetime, *, is_rate: bool) -> HttpResponse:
    """Say that nothing is tried until then, in the look of the door that was knocked at."""
    seconds = max(1, math.ceil((until - timezone.now()).total_seconds()))
    match = request.resolver_match
    if match is not None and match.namespace == "tracking":
        look, policy = "orders/tracking/locked_out.html", CUSTOMERS_FORMS
        frame, again = {"shop": settings.SHOP_NAME}, "tracking:sign_in"
    else:
        look, policy = "orders/signin/locked_out.html", ADMIN_PAGES
        frame, again = admin.site.each_context(request), "admin:login"
    said = {
        "title": "Try again later",
        "is_rate": is_rate,
        "until": until,
        "minutes": math.ceil(seconds / 60),
        "again": resolve_url(again),
    }

    @csp(policy)
    def page(request: HttpRequest) -> HttpResponse:
        return render(request, look, frame | said, status=HTTPStatus.TOO_MANY_REQUESTS)

    answer = cast(HttpResponse, page(request))
    answer["Retry-After"], answer["Cache-Control"] = str(seconds), "no-store"
    answer["Referrer-Policy"] = "strict-origin"  # the address may name an order as the next page
    return answer
