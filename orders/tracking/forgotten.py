"""Customers who forgot their password: the same steps as at the admin, in the shop's look."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.utils.decorators import method_decorator

from orders.models import User
from orders.signin import reset_pages
from orders.tracking import answers


class CustomersPage(reset_pages.ResetPage):
    """At this door, and in this frame."""

    door = "tracking"

    def frame(self) -> dict[str, Any]:
        """Return what stands around the page: the shop."""
        return answers.frame(self.request)


@method_decorator(answers.form, name="dispatch")
class ForgottenView(CustomersPage, reset_pages.ForgottenView):
    """Asks for the address."""

    form_class = PasswordResetForm
    template_name = "orders/tracking/forgotten.html"


@method_decorator(answers.form, name="dispatch")
class AskedView(CustomersPage, reset_pages.AskedView):
    """Says that a mail is on its way, if it is."""

    template_name = "orders/tracking/reset_asked.html"


@method_decorator(answers.form, name="dispatch")
class ResetView(CustomersPage, reset_pages.ResetView):
    """Takes the new password."""

    form_class: type[SetPasswordForm[User]] = SetPasswordForm
    template_name = "orders/tracking/reset.html"


@method_decorator(answers.form, name="dispatch")
class DoneView(CustomersPage, reset_pages.DoneView):
    """Says that the new password holds."""

    template_name = "orders/tracking/reset_done.html"
