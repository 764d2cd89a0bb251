"""The page on which staff set a second factor up, replace it, or turn it off."""

from __future__ import annotations

from base64 import b32encode
from binascii import unhexlify
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth import BACKEND_SESSION_KEY, REDIRECT_FIELD_NAME
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from orders.models import User
from orders.signin import factors, history, steps
from orders.signin.factors import CodeRefused
from orders.signin.forms import CodeForm

SECRET = "enrolling"  # in the session: the secret that an app is being set up with  # noqa: S105


class EnrolmentView(RedirectURLMixin, View):
    """Shows the secret until a code proves that an app has it; then asks for a code at a change.

    Nothing is changed by a GET: the secret that it makes is in the session alone.
    """

    next_page = "admin:index"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show how things are."""
        return self._page(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do what the pressed button says, once the code is right."""
        user = _user(request)
        form = CodeForm(request.POST)
        action = request.POST.get("action", "")
        if action == "cancel":
            request.session.pop(SECRET, None)
            return HttpResponseRedirect(reverse("admin:second_factor"))
        if not form.is_valid():
            return self._page(request, form)
        try:
            if SECRET in request.session:
                return self._confirm(request, user, form.cleaned_data["code"])
            if user.has_second_factor:
                steps.check_code(request, user, form.cleaned_data["code"])
                return self._change(request, user, action)
        except CodeRefused as exc:
            form.add_error("code", str(exc))
        return self._page(request, form)

    def _confirm(self, request: HttpRequest, user: User, code: str) -> HttpResponse:
        """Make the app the second factor, and this session one that has shown it."""
        device, codes = factors.enrol(user, request.session[SECRET], code)
        del request.session[SECRET]
        fresh = User.objects.get(pk=user.pk)
        fresh.backend = request.session[BACKEND_SESSION_KEY]
        steps.sign_in(request, fresh, device)
        history.note(user, "Set up a second factor.")
        return self._codes(request, codes)

    def _change(self, request: HttpRequest, user: User, action: str) -> HttpResponse:
        if action == "renew":
            codes = factors.renew_recovery_codes(user)
            history.note(user, "Made new recovery codes.")
            return self._codes(request, codes)
        if action == "replace":
            request.session[SECRET] = factors.new_secret()
        elif action == "remove" and not factors.is_required(user):
            factors.remove(user)
            history.note(user, "Turned the second factor off.")
            messages.success(request, "The second factor is off: your password alone signs you in.")
        return HttpResponseRedirect(reverse("admin:second_factor"))

    def _page(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        user = _user(request)
        device = factors.device_of(user)
        if device is None and SECRET not in request.session:
            request.session[SECRET] = factors.new_secret()
        shown: dict[str, Any] = {"form": form, "device": device}
        if SECRET in request.session:
            secret = request.session[SECRET]
            address = factors.address_of(user, secret)
            text = b32encode(unhexlify(secret)).decode()
            shown |= {
                "address": address,
                "picture": factors.picture_of(address),
                "secret": " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
            }
        else:
            shown |= {
                "codes_left": factors.recovery_codes_left(user),
                "is_required": factors.is_required(user),
            }
        return self._answer(request, shown)

    def _codes(self, request: HttpRequest, codes: list[str]) -> HttpResponse:
        """Show recovery codes, in the answer itself: they are kept nowhere to be shown again."""
        return self._answer(request, {"codes": codes})

    def _answer(self, request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
        context = admin.site.each_context(request) | {
            "title": "Second factor",
            "must_enrol": not admin.site.has_permission(request),
            REDIRECT_FIELD_NAME: self.get_success_url(),
        }
        return TemplateResponse(request, "orders/signin/second_factor.html", context | shown)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # the site lets nobody else through
