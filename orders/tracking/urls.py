"""The paths of the tracking pages. Each works with a trailing slash too, without a redirect."""

from django.urls import URLPattern, path, re_path

from orders.tracking.answers import View
from orders.tracking.forgotten import AskedView, DoneView, ForgottenView, ResetView
from orders.tracking.signing_in import CodeView, SignInView, SignOutView
from orders.tracking.views import track

app_name = "tracking"


def page(route: str, view: View, name: str) -> list[URLPattern]:
    """Return a page's two paths; the one without the slash is the one that answers name."""
    return [path(f"{route}/", view), path(route, view, name=name)]


urlpatterns = [
    *page("sign-in", SignInView.as_view(), "sign_in"),
    *page("sign-out", SignOutView.as_view(), "sign_out"),
    *page("code", CodeView.as_view(), "code"),
    *page("forgotten", ForgottenView.as_view(), "forgotten"),
    *page("forgotten/asked", AskedView.as_view(), "reset_asked"),
    *page("reset/done", DoneView.as_view(), "reset_done"),
    *page("reset/<uidb64>/<token>", ResetView.as_view(), "reset"),
    *page("<str:order_id>", track, "order"),
    re_path("", track),
]
