"""The pages of a forgotten password: which address, "look into your mail", and the new password.

There are none of them without a mail server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView
from django.views.generic.base import ContextMixin, View

from orders.models import User
from orders.signin import history, lockout, resets
from orders.signin.forms import AddressForm, NewPasswordForm
from orders.signin.pages import too_fast

if TYPE_CHECKING:
    EmailFormView = FormView[PasswordResetForm]
else:
    EmailFormView = FormView


class ResetPage(ContextMixin, View):
    """What these pages share: their names at a door, their frame, and when there are none."""

    title: str
    door = "admin"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer, unless no mail is sent; the address may be a link's, and is referred to nobody.

        With no referrer at all a browser would send no origin, and no form would be taken for ours.
        """
        if not settings.SENDS_MAIL:
            raise Http404
        response = super().dispatch(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    def page(self, name: str) -> str:
        """Return where a page of this door is."""
        return reverse(f"{self.door}:{name}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page needs, with its frame."""
        where = {"ask_page": self.page("forgotten")}
        said = {"title": self.title, "minutes": resets.minutes()}
        return super().get_context_data(**self.frame(), **said, **where, **kwargs)

    def frame(self) -> dict[str, Any]:
        """Return what stands around the page: the admin."""
        return admin.site.each_context(self.request)


@method_decorator(never_cache, name="dispatch")
class ForgottenView(ResetPage, EmailFormView):
    """Asks for the address."""

    form_class: type[PasswordResetForm] = AddressForm
    template_name = "orders/signin/forgotten.html"
    title = "Forgot your password?"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take an address, unless they come faster than people send them."""
        return too_fast(request) or super().post(request, *args, **kwargs)

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Have a link sent to whoever has the address."""
        resets.ask(form.cleaned_data["email"])
        return super().form_valid(form)

    def get_success_url(self) -> str:
        """Return the same page for everybody."""
        return self.page("reset_asked")


@method_decorator(never_cache, name="dispatch")
class AskedView(ResetPage, TemplateView):
    """Says that a mail is on its way, if it is."""

    template_name = "orders/signin/reset_asked.html"
    title = "Look into your mail"


@method_decorator(never_cache, name="dispatch")
class DoneView(ResetPage, TemplateView):
    """Says that the new password holds, and signs nobody in."""

    template_name = "orders/signin/reset_done.html"
    title = "Your password is changed"


class ResetView(ResetPage, PasswordResetConfirmView):
    """Takes the new password. Its form is at an address without the token, which is kept aside."""

    form_class: type[SetPasswordForm[User]] = NewPasswordForm
    template_name = "orders/signin/reset.html"
    title = "Choose a new password"

    def get_user(self, uidb64: str) -> User | None:
        """Return the user of a link who may have a new password."""
        named = super().get_user(uidb64)
        return named if named is not None and resets.is_entitled(named) else None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take a new password, unless they come faster than people type them."""
        return too_fast(request) or super().post(request, *args, **kwargs)

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Set the password, once for a link, on the account as it is now."""
        with transaction.atomic():
            user = resets.of(form.user.pk, for_update=True)
            token = self.request.session.get(INTERNAL_RESET_SESSION_TOKEN)
            if user is None or not self.token_generator.check_token(user, token):
                self.validlink = False  # of two at once, the other was faster
                return self.render_to_response(self.get_context_data())
            form.user = user
            response = super().form_valid(form)
            history.note(user, "Chose a new password by a link in a mail.")
            if not user.has_second_factor:  # else a mailbox would buy more guesses at the code
                lockout.forgive(self.request, user.get_username())
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page needs; a link that has ended has no form."""
        title = self.title if self.validlink else "This link no longer works"
        return super().get_context_data(**kwargs) | {"title": title}

    def get_success_url(self) -> str:
        """Return where it is said that the new password holds."""
        return self.page("reset_done")
