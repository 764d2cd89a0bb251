"""The forms of the sign-in: a password, and a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth.signals import user_login_failed

from orders.signin import factors

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput

    from orders.models import User
else:
    from unfold.forms import AuthenticationForm
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput


class PasswordForm(AuthenticationForm):
    """Unfold's, where a customer's right password counts as a wrong one, as it is answered."""

    def confirm_login_allowed(self, user: User) -> None:
        """Raise `ValidationError` unless the user is active staff.

        Counts it as a failure: else a lock-out that does not come would tell a right password.
        """
        try:
            super().confirm_login_allowed(user)
        except forms.ValidationError:
            credentials = {"username": user.get_username()}
            user_login_failed.send(__name__, credentials=credentials, request=self.request)
            raise


class CodeForm(forms.Form):
    """A code of an app, or a recovery code: both are digits."""

    code = forms.CharField(
        max_length=factors.LONGEST_CODE,
        widget=TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "aria-describedby": "id_code_help id_code_error",
                "inputmode": "numeric",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )
