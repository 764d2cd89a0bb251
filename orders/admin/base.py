"""Unfold's admin classes with types: it ships none, but keeps the signatures of Django's own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.widgets import AdminTextareaWidget as Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.contrib.auth.admin import GroupAdmin, UserAdmin
else:
    from django.contrib.auth import admin as auth
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class ModelAdmin(UnfoldModelAdmin):
        """Unfold's, which the type checker lets name its model: ``ModelAdmin[Order]``."""

        def __class_getitem__(cls, model):
            return cls

    class UserAdmin(auth.UserAdmin, ModelAdmin):
        """Django's user admin with unfold's forms."""

        form = UserChangeForm
        add_form = UserCreationForm
        change_password_form = AdminPasswordChangeForm

    class GroupAdmin(auth.GroupAdmin, ModelAdmin):
        """Django's group admin in unfold's clothes."""


__all__ = ["GroupAdmin", "ModelAdmin", "TextInput", "Textarea", "UserAdmin"]
