"""Sessions that end: so long after the sign-in, and so long after anything was last done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

BEGAN, SEEN = "signed_in_at", "seen_at"  # in the session, seconds since 1970
SEEN_EVERY = 60.0  # seconds: a write a minute is enough
BY_ITSELF = ("HX-Request", "X-Refresh")  # htmx in the admin, and the tracking page's own script


def begin(request: HttpRequest, *, for_tokens: bool = False, **signal: object) -> None:
    """Let the session's time start now; called at every sign-in, through whatever door.

    Not when somebody has signed in for tokens: the session that came along is none of theirs.
    """
    if not for_tokens:
        request.session[BEGAN] = request.session[SEEN] = time.time()


class SessionEndMiddleware:
    """Signs out whoever's session is over, before anything else looks at who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Looking into the session makes an answer vary by cookie; without a cookie there is none.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        session, now = request.session, time.time()
        if BEGAN not in session:  # one from before this was written down
            begin(request)
        why = None
        if now - session[BEGAN] > settings.SESSION_COOKIE_AGE:
            why = "Your working day here is over"
        elif now - session[SEEN] > settings.SESSION_IDLE_SECONDS:
            why = f"Nothing was done for {settings.SESSION_IDLE_SECONDS / 60:g} minutes"
        if why is not None:
            logout(request)
            if request.path.startswith(reverse("admin:index")):
                messages.info(request, f"{why}, so you were signed out.")
        elif now - session[SEEN] > SEEN_EVERY and not _is_the_page_itself(request):
            session[SEEN] = now


def _is_the_page_itself(request: HttpRequest) -> bool:
    """Tell whether a page asks by itself, for its progress: nobody need sit before it."""
    return any(header in request.headers for header in BY_ITSELF)
