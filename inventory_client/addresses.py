"""What may stand in a call's URL."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import requests


def base_url(url: str, service: str) -> str:
    """Return a service's URL without a slash at its end; raises ValueError on an unusable one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the {service} URL must be http:// or https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"the {service} URL must hold no credentials, query or fragment")
    whole = requests.Request("GET", url).prepare().url  # a host in punycode, a path in ASCII
    return (whole or url).rstrip("/")


def is_addressable(product_id: str) -> bool:
    """Tell whether an id can stand in a URL as one path segment and arrive as what it is.

    HTTP clients rewrite ``.`` and ``..``, the upstream splits at an encoded slash, and some proxies
    take a backslash for one. A lone surrogate has no bytes at all.
    """
    if product_id in ("", ".", "..") or "/" in product_id or "\\" in product_id:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in product_id)


def segment(product_id: str) -> str:
    """Return an addressable id as one path segment."""
    return quote(product_id, safe="")
