"""Where a request comes from, whatever proxies stand before us."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    Address = IPv4Address | IPv6Address

SUBSCRIBER = 64  # bits of an IPv6 address: whoever has one address has all that share them


def client_address(request: HttpRequest | Request) -> str | None:
    """Return the rightmost address of the request's way to us that is no proxy of ours.

    Each proxy appends to ``X-Forwarded-For`` whom it was called by, so what stands left of the
    first stranger is only what that stranger says. ``TRUSTED_PROXIES`` are the proxies; without any
    the header is never believed. None when the server does not know who called it.
    """
    client = _client(request)
    return None if client is None else str(client)


def client_network(request: HttpRequest | Request) -> str | None:
    """Return what to count a client by: its address, of IPv6 the first one of its /64."""
    client = _client(request)
    if isinstance(client, IPv6Address):
        return str(IPv6Network((client, SUBSCRIBER), strict=False).network_address)
    return None if client is None else str(client)


def _client(request: HttpRequest | Request) -> Address | None:
    client = None
    for hop in _way_back(request):
        if hop is None:
            break  # what a proxy of ours could not name; further left is hearsay
        client = hop
        if not _is_ours(hop):
            break
    return client


def _way_back(request: HttpRequest | Request) -> Iterator[Address | None]:
    """Yield who called, and then whom each proxy says that it was called by; None for nonsense."""
    peer = request.META.get("REMOTE_ADDR", "")
    if peer:  # empty through a Unix socket, at whose other end is a proxy on this machine
        yield _parsed(peer)
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        for text in reversed(forwarded.split(",") if forwarded else []):
            yield _parsed(text)


def _is_ours(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> Address | None:
    """Return the address of a text, whose port and brackets do not matter; None for nonsense."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # a zone means something on its own host alone
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
