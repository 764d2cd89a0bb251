"""Whom a request comes from: through proxies that we trust, and past those who would pretend."""

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from orderservice.client_address import client_address, client_network


def seen(peer: str, forwarded: str | None = None) -> str | None:
    """Return the client's address of a request from a peer."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(headers=headers).get("/", REMOTE_ADDR=peer))


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9", "10.0.0.1, 203.0.113.9", "127.0.0.1"])
def test_address_without_trusted_proxies_is_the_peer_whatever_the_header_says(
    forwarded: str | None,
) -> None:
    assert seen("198.51.100.7", forwarded) == "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the left one is what the client sent
        ("10.0.0.1", "6.6.6.6, 203.0.113.9,10.0.0.3 , 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.9, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "6.6.6.6", "203.0.113.9"),  # a stranger who says that it is a proxy
        ("203.0.113.9", "6.6.6.6, 10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),  # from inside
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),  # past nonsense nothing is believed
        ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "999.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("10.0.0.1", "2001:db8::9", "2001:db8::9"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),  # a zone would be too much for PostgreSQL
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("fd00::1", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "203.0.113.9"),  # a Unix socket's other end is on this machine
        ("", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("", None, None),
    ],
)
def test_address_behind_trusted_proxies_is_the_rightmost_stranger(
    settings: Settings, peer: str, forwarded: str | None, client: str | None
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert seen(peer, forwarded) == client


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("", None),
    ],
)
def test_network_of_an_ipv6_address_is_what_one_subscriber_has(
    peer: str, network: str | None
) -> None:
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=peer)) == network
