"""One count for all processes: what one gunicorn locks out, another does not let in."""

import re
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from orders.models import User
from tests.processes import gunicorn
from tests.signin.people import LOGIN, PASSWORD, member

pytestmark = pytest.mark.usefixtures("committed_db")


def sign_in(port: int, password: str, forwarded: str) -> int:
    """Send the form as a browser behind a proxy would; return the status."""
    connection = HTTPConnection("localhost", port, timeout=30)
    headers = {"X-Forwarded-For": forwarded}
    connection.request("GET", LOGIN, headers=headers)
    page = connection.getresponse()
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    cookie = SimpleCookie(page.headers["Set-Cookie"])["csrftoken"].value
    form = urlencode({"username": "kim", "password": password, "csrfmiddlewaretoken": token})
    headers |= {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={cookie}",
    }
    connection.request("POST", LOGIN, form, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_two_servers_share_the_count_behind_a_proxy() -> None:
    kim: User = member(username="kim")
    proxied = {"TRUSTED_PROXIES": "127.0.0.0/8"}
    with gunicorn(proxied) as (_, one), gunicorn(proxied) as (_, other):
        for number in range(10):
            port = (one, other)[number % 2]
            answer = sign_in(port, "wrong", f"192.0.2.{number}, 203.0.113.9")
            assert answer == (429 if number == 9 else 200)
        for port in (one, other):
            assert sign_in(port, PASSWORD, "203.0.113.9") == 429
            assert sign_in(port, PASSWORD, "198.51.100.7") == 302
    kim.refresh_from_db()
    assert kim.last_login is not None
