"""Our application, but for one path: there it fails outside of Django, where gunicorn logs it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orderservice.wsgi import application as ours

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Make an order that the database refuses, at ``/fail``."""
    if environ["PATH_INFO"] == "/fail":
        from tests.refused import place  # noqa: PLC0415 - Django is set up by now

        place()
    return ours(environ, start_response)
