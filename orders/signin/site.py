"""The admin's site, which opens to nobody who has not shown all that we ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from orders.models import User
from orders.signin import factors
from orders.signin.enrolment import EnrolmentView
from orders.signin.pages import CodeView, PasswordView, too_fast
from orders.signin.reset_pages import AskedView, DoneView, ForgottenView, ResetView

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.urls import URLPattern, URLResolver
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


class OrderDesk(AdminSite):
    """Unfold's site, with a sign-in of two steps."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Let active staff in who have shown all that we ask."""
        return self.knows(request) and factors.is_satisfied(request)

    def knows(self, request: HttpRequest) -> bool:
        """Tell whether active staff are behind the request, whatever they have yet to show."""
        return super().has_permission(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the site's pages, with those that open before the others do."""
        hidden = sensitive_post_parameters("code")
        steps = [
            path("logout/", never_cache(self.logout), name="logout"),
            path("code/", hidden(CodeView.as_view()), name="code"),
            path("second-factor/", hidden(self.enrolment), name="second_factor"),
            path("forgotten/", ForgottenView.as_view(), name="forgotten"),
            path("forgotten/asked/", AskedView.as_view(), name="reset_asked"),
            path("reset/done/", DoneView.as_view(), name="reset_done"),
            path("reset/<uidb64>/<token>/", ResetView.as_view(), name="reset"),
        ]
        return [*steps, *super().get_urls()]

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for a password, or send those on who have shown one already."""
        if request.method == "GET" and self.knows(request):
            return HttpResponseRedirect(self._onward(request))
        if request.method == "POST" and (refusal := too_fast(request)) is not None:
            return refusal
        where = request.GET.get(REDIRECT_FIELD_NAME) or request.POST.get(REDIRECT_FIELD_NAME)
        context = self.each_context(request) | {
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            REDIRECT_FIELD_NAME: where or reverse("admin:index"),
        }
        request.current_app = self.name
        view = PasswordView.as_view(extra_context=context | (extra_context or {}))
        return cast(HttpResponse, view(request))

    @method_decorator(never_cache)
    def enrolment(self, request: HttpRequest) -> HttpResponseBase:
        """Let staff see to their own second factor: whoever has one, after having shown it."""
        if self.knows(request) and (factors.is_satisfied(request) or not _has_factor(request)):
            return EnrolmentView.as_view()(request)
        where = urlencode({REDIRECT_FIELD_NAME: request.path})
        return HttpResponseRedirect(f"{reverse('admin:login')}?{where}")

    def _onward(self, request: HttpRequest) -> str:
        """Return where somebody goes who is signed in: on, or to what is yet to be shown."""
        if factors.is_satisfied(request):
            return reverse("admin:index")
        step = reverse("admin:code" if _has_factor(request) else "admin:second_factor")
        where = request.GET.get(REDIRECT_FIELD_NAME)
        return f"{step}?{urlencode({REDIRECT_FIELD_NAME: where})}" if where else step


def _has_factor(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.has_second_factor
