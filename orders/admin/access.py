"""Who may sign in, with which roles, and the keys of the services that may call.

Nobody gets more out of these pages than they have: whom one may change, or make a key for, must
not hold a permission that one lacks. Users and keys are switched off and never deleted, for the
orders' history names them.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import Form
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from procrastinate.contrib.django.models import ProcrastinateJob
from rest_framework_api_key.models import APIKey

from orders.admin.base import GroupAdmin, ModelAdmin, UserAdmin
from orders.models import ApiKey, User
from orders.signin import factors, tokens

# Their apps stand before ours in INSTALLED_APPS. Keys of that table open nothing here, jobs are the
# operators' business, and whoever could change devices could sign in as anybody.
for hidden in (APIKey, ProcrastinateJob, Group, TOTPDevice, StaticDevice):
    admin.site.unregister(hidden)


def may_act_as(request: HttpRequest, user: User) -> bool:
    """Tell whether the user holds no permission that the requester lacks."""
    requester = request.user
    if requester.is_superuser:
        return True
    return not user.is_superuser and user.get_all_permissions() <= requester.get_all_permissions()


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """Customers, staff and service users. Only superusers hand out roles."""

    actions = ("remove_second_factor", "revoke_tokens")
    list_display = (
        "username",
        "email",
        "roles",
        "is_staff",
        "is_active",
        "second_factor",
        "last_login",
    )
    list_filter = ("is_staff", "is_active", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password", "public_id")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Sign-in", {"fields": ("second_factor",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("public_id", "second_factor", "last_login", "date_joined")
    filter_horizontal = ()  # unfold has no styles for Django's two-box widget
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the users with their roles, and whether they have a second factor."""
        app = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        users = super().get_queryset(request).annotate(with_app=Exists(app))
        return users.prefetch_related("groups")

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        """The groups, by name."""
        return ", ".join(sorted(group.name for group in user.groups.all()))

    @admin.display(description="Second factor", boolean=True)
    def second_factor(self, user: User) -> bool:
        """Whether a code is asked for after the password."""
        return bool(getattr(user, "with_app", False))

    def has_remove_factor_permission(self, request: HttpRequest) -> bool:
        """Only superusers take away what keeps others from signing in as somebody."""
        return bool(request.user.is_superuser)

    @admin.action(
        description="Remove the second factor: the phone is lost", permissions=["remove_factor"]
    )
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Take the selected users' apps and recovery codes away; their histories say who did."""
        for user in queryset:
            if user.pk == request.user.pk:
                text = "Your own needs a code: turn it off on its page, in the menu at your name"
                self.message_user(request, text, messages.ERROR)
            elif factors.remove(user):
                self.log_change(request, user, "Removed the second factor.")
                self.message_user(request, f"{user}: second factor removed", messages.SUCCESS)
            else:
                self.message_user(request, f"{user} has no second factor", messages.WARNING)

    @admin.action(description="Revoke API tokens: they must sign in anew", permissions=["change"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Make the tokens of the selected users open nothing; their histories say who did."""
        for user in queryset:
            if not may_act_as(request, user):
                text = f"{user} may do more than you: nothing was revoked"
                self.message_user(request, text, messages.ERROR)
                continue
            tokens.revoke(user)
            self.log_change(request, user, "Revoked the API tokens.")
            self.message_user(request, f"{user}: API tokens revoked", messages.SUCCESS)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Keep the roles from those who could give themselves one."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever changes a user can set the password, and so act as that user."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_act_as(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Users are switched off."""
        return False


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """The roles, which ``orders.roles`` defines; superusers may look, and add their own."""

    filter_horizontal = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show them to superusers."""
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Show them to superusers."""
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave them to superusers."""
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Leave them to superusers."""
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Leave them to superusers."""
        return request.user.is_superuser


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin[ApiKey]):
    """Credentials of service users: made, shown once, revoked."""

    actions = ("revoke",)
    list_display = (
        "name",
        "prefix",
        "user",
        "created",
        "expiry_date",
        "last_used_at",
        "revoked",
    )
    list_filter = ("revoked",)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    autocomplete_fields = ("user",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Ask for what a new key needs; show what an old one is."""
        asked = ("name", "user", "expiry_date")
        return asked if obj is None else (*asked, "prefix", "created", "last_used_at", "revoked")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        """Let the name and the expiry of a live key be changed, and nothing else."""
        if obj is None:
            return ()
        shown = ("user", "prefix", "created", "last_used_at", "revoked")
        return (*shown, "name", "expiry_date") if obj.revoked else shown

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are revoked."""
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: Form, change: bool, **kwargs: Any
    ) -> None:
        """Make the key on adding, and show it this once: only its hash is kept."""
        if not may_act_as(request, obj.user):
            raise PermissionDenied
        if not change:
            key = ApiKey.objects.assign_key(obj)
            text = f"The key of {obj.name}: {key} — copy it now, it is never shown again."
            self.message_user(request, text, messages.WARNING)
        super().save_model(request, obj, form, change)

    @admin.action(description="Revoke: can't be undone", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make the selected keys open nothing any more."""
        for key in queryset.filter(revoked=False):
            key.revoked = True
            key.save(update_fields=["revoked"])
            self.message_user(request, f"{key.name} ({key.prefix}) revoked", messages.SUCCESS)
