"""Filters that staff keep under a name; managers may share theirs."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from orders.admin.base import LookOnlyAdmin, TextInput, actor_of
from orders.admin.listing.form import FilterForm
from orders.models import Order, SavedFilter, User

MOST = 20  # that one may have, and that one is shown of the others'


class SaveForm(forms.Form):
    """The name of a filter, the address that it stands for, and whether others see it."""

    name = forms.CharField(max_length=60, widget=TextInput())
    query = forms.CharField(max_length=4000, widget=forms.HiddenInput)
    shared = forms.BooleanField(required=False)

    def clean_query(self) -> str:
        """Return the address's query in its fixed form; only what the list itself knows passes."""
        try:
            wanted = FilterForm(QueryDict(self.cleaned_data["query"]))
        except ValueError as exc:  # more fields than Django reads
            raise forms.ValidationError("This is no filter.") from exc
        if wanted.faults() or not wanted.in_use:
            raise forms.ValidationError("There is no filter to save.")
        if len(query := canonical(wanted)) > 1000:
            raise forms.ValidationError("This filter is too long to save.")
        return query


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved filter as one member of staff sees it."""

    name: str
    link: str
    active: bool
    shared: bool
    delete_url: str  # empty when it is somebody else's


def canonical(form: FilterForm) -> str:
    """Return what a form narrows the list to, always in the same order."""
    return urlencode(sorted(form.in_use.items()))


def kept(user: User | AnonymousUser, form: FilterForm) -> list[Kept]:
    """Return the user's own filters, then those that others share, by name."""
    own = SavedFilter.objects.filter(owner=user.pk).order_by("name")[:MOST]
    others = SavedFilter.objects.filter(shared=True).exclude(owner=user.pk).order_by("name")[:MOST]
    here = canonical(form)
    return [
        Kept(
            each.name,
            f"?{each.query}",
            active=each.query == here,
            shared=each.shared,
            delete_url=reverse("admin:orders_order_unsave", args=[each.pk])
            if each.owner_id == user.pk
            else "",
        )
        for each in own.union(others, all=True)
    ]


class SavedFilterAdmin(LookOnlyAdmin[Order]):
    """Where the list's forms for saved filters are sent to."""

    def get_urls(self) -> list[URLPattern]:
        """Add the two addresses."""
        save, unsave = (
            self.admin_site.admin_view(require_POST(view))
            for view in (self.save_view, self.unsave_view)
        )
        return [
            path("saved/", save, name="orders_order_save"),
            path("saved/<int:key>/delete/", unsave, name="orders_order_unsave"),
            *super().get_urls(),
        ]

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep a filter; one of the same name is replaced."""
        user = self._staff(request)
        form = SaveForm(request.POST)
        if not form.is_valid():
            said = " ".join(str(fault) for faults in form.errors.values() for fault in faults)
            return self._back(request, f"Not saved: {said}", messages.ERROR)
        given: dict[str, Any] = form.cleaned_data
        if given["shared"] and not actor_of(request).may("share"):
            raise PermissionDenied
        name = given.pop("name")
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)  # so that the count below holds
            own = SavedFilter.objects.filter(owner=user)
            if own.exclude(name=name).count() >= MOST:
                text = f"Not saved: {MOST} filters is the most. Delete one first."
                return self._back(request, text, messages.ERROR, given["query"])
            SavedFilter.objects.update_or_create(owner=user, name=name, defaults=given)
        return self._back(request, f"Saved as “{name}”", messages.SUCCESS, given["query"])

    def unsave_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Delete a filter of one's own; others' are not found."""
        filter_ = get_object_or_404(SavedFilter, pk=key, owner=self._staff(request))
        filter_.delete()
        return self._back(request, f"Deleted “{filter_.name}”", messages.SUCCESS)

    def _staff(self, request: HttpRequest) -> User:
        if not self.has_view_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        return request.user

    def _back(self, request: HttpRequest, text: str, level: int, query: str = "") -> HttpResponse:
        """Go to the list, filtered by nothing but what was validated."""
        self.message_user(request, text, level)
        link = reverse("admin:orders_order_changelist")
        return redirect(f"{link}?{query}" if query else link)
