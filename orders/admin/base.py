"""What the admin's pages are built on: unfold's classes, typed, and who is behind a request.

Unfold ships no types, but keeps the signatures of Django's own classes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from orders.actor import Actor
from orders.models import User
from orders.status import Door

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.widgets import AdminTextareaWidget as Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.contrib.auth.admin import GroupAdmin, UserAdmin
    from django.forms import BaseFormSet as FormSet
    from django.forms import EmailInput, Select
else:
    from django.contrib.auth import admin as auth
    from django.forms import BaseFormSet
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.widgets import UnfoldAdminEmailInputWidget as EmailInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class ModelAdmin(UnfoldModelAdmin):
        """Unfold's, which the type checker lets name its model: ``ModelAdmin[Order]``."""

        def __class_getitem__(cls, model):
            return cls

    class FormSet(BaseFormSet):
        """Django's, which the type checker lets name its form: ``FormSet[LineForm]``."""

        def __class_getitem__(cls, form):
            return cls

    class UserAdmin(auth.UserAdmin, ModelAdmin):
        """Django's user admin with unfold's forms."""

        form = UserChangeForm
        add_form = UserCreationForm
        change_password_form = AdminPasswordChangeForm

    class GroupAdmin(auth.GroupAdmin, ModelAdmin):
        """Django's group admin in unfold's clothes."""


_Row = TypeVar("_Row", bound=Model)


class LookOnlyAdmin(ModelAdmin[_Row]):
    """Rows that can be looked at by who may view them, and changed by verbs alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Verbs add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        """No field is editable."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        """History is kept."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row; there is no form to send."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return super().change_view(request, object_id, form_url, extra_context)

    def page_url(self, key: object) -> str:
        """Return the address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[key])

    def by_post(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Let staff alone POST to a view of one row, and nobody GET it."""
        return require_POST(self.by_staff(view))

    def by_staff(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Let staff alone see a view of one row.

        Whoever must sign in first comes back to the row's page: after signing in, a browser GETs.
        A part of a page that was signed out meanwhile reloads all of it, which leads there too.
        """

        def guarded(request: HttpRequest, key: object, **kwargs: str) -> HttpResponse:
            if not self.admin_site.has_permission(request):
                if "HX-Request" in request.headers:
                    return HttpResponse(headers={"HX-Refresh": "true"})
                return redirect_to_login(self.page_url(key), reverse("admin:login"))
            return view(request, get_object_or_404(self.model, pk=key), **kwargs)

        return require_http_methods(["GET", "HEAD", "POST"])(guarded)

    def show(
        self,
        request: HttpRequest,
        template: str,
        context: dict[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        """Answer with a page of our own inside the admin's frame."""
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, template, frame | context, status=status)


class PageAdmin(LookOnlyAdmin[_Row]):
    """Rows with a page of our own in the place of Django's change form."""

    def page(self, request: HttpRequest, row: _Row, /) -> HttpResponse:
        """Show a row's page to somebody who may see it."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Find the row and show its page; 403 and 404 as Django's own would answer."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return self.page(request, row)


def actor_of(request: HttpRequest) -> Actor:
    """Return the member of staff behind a request, at the admin's door."""
    user = request.user
    return Actor(via=Door.ADMIN, user=user if isinstance(user, User) else None)


__all__ = [
    "EmailInput",
    "FormSet",
    "GroupAdmin",
    "LookOnlyAdmin",
    "ModelAdmin",
    "PageAdmin",
    "Select",
    "TextInput",
    "Textarea",
    "UserAdmin",
    "actor_of",
]
