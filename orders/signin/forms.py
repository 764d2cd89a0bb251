"""The forms of the sign-in: a password, a code, and what replaces a forgotten password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.contrib.auth.signals import user_login_failed

from orders.signin import factors

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
    from django.contrib.admin.widgets import AdminEmailInputWidget as EmailInput
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.forms import PasswordInput

    from orders.models import User

    NewPassword = SetPasswordForm[User]
else:
    from unfold.forms import AuthenticationForm
    from unfold.widgets import UnfoldAdminEmailInputWidget as EmailInput
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    NewPassword = SetPasswordForm


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


class AddressForm(PasswordResetForm):
    """Django's, in the admin's look."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class NewPasswordForm(NewPassword):
    """Django's, in the admin's look."""

    new_password1 = forms.CharField(
        label="New password",
        strip=False,
        help_text=password_validators_help_text_html(),
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    new_password2 = forms.CharField(
        label="New password, again",
        strip=False,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
    )
