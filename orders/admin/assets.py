"""The order desk's own styles and script, and where the theme's colours come from."""

from django.http import HttpRequest
from django.templatetags.static import static


def theme(request: HttpRequest) -> str:
    """Return the address of the theme's colours."""
    return static("orders/theme.css")


def stylesheet(request: HttpRequest) -> str:
    """Return the address of the order desk's own styles."""
    return static("orders/admin.css")


def accessible_stylesheet(request: HttpRequest) -> str:
    """Return the address of what makes the theme's pages easier to see."""
    return static("orders/accessible.css")


def accessible_script(request: HttpRequest) -> str:
    """Return the address of what makes the theme's pages usable by keyboard and by ear."""
    return static("orders/accessible.js")


def script(request: HttpRequest) -> str:
    """Return the address of what the theme must be told before it starts."""
    return static("orders/admin.js")


def no_inline_colours(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Keep unfold from writing a ``<style>`` into each page: `theme` has the colours."""
    return {}
