"""``EMAIL_URL``: what it may say, what it means, and that nobody reads its password."""

import pytest

from orderservice.environment import public_url
from orderservice.mail import Server, parsed
from tests.test_settings import COMPLETE, start

ADDRESS = "shop@example.org"
RELAY = f"smtp://relay?from={ADDRESS}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"smtp://relay?from={ADDRESS}", ("smtp", "relay", 25, "", "", ADDRESS)),
        (f"smtp://[::1]:1025/?from={ADDRESS}", ("smtp", "::1", 1025, "", "", ADDRESS)),
        (
            f"smtp+tls://u%40x:p%2Fw:%25%3F@mail.example.org?from={ADDRESS}",
            ("smtp+tls", "mail.example.org", 587, "u@x", "p/w:%?", ADDRESS),
        ),
        (
            "smtps://u:p@10.0.0.1?from=Fern%20%26%20Oak%20%3Cshop+x@example.org%3E",
            ("smtps", "10.0.0.1", 465, "u", "p", "Fern & Oak <shop+x@example.org>"),
        ),
    ],
)
def test_mail_server_is_read(written: str, read: tuple[str, str, int, str, str, str]) -> None:
    assert parsed(written) == Server(*read)


@pytest.mark.parametrize(
    "written",
    [
        "smtp://relay",
        f"relay?from={ADDRESS}",
        f"https://relay?from={ADDRESS}",
        f"smtp://?from={ADDRESS}",
        "smtp://relay?from=",
        "smtp://relay?from=shop",
        "smtp://relay?from=shop%40",
        "smtp://relay?from=a@example.org%0ABcc:%20b@example.org",
        f"smtp://relay?to={ADDRESS}",
        f"smtp://relay?from={ADDRESS}&timeout=3",
        f"smtp://relay:0?from={ADDRESS}",
        f"smtp://relay:65536?from={ADDRESS}",
        f"smtp://relay:port?from={ADDRESS}",
        f"smtp+tls://user@relay?from={ADDRESS}",
        f"smtp+tls://user:s3cr3t/s3cr3t@relay?from={ADDRESS}",
        f"smtp+tls://user:s3cr3t#s3cr3t@relay?from={ADDRESS}",
        f"smtp+tls://user:s3cr3t@s3cr3t@relay?from={ADDRESS}",
        f"smtp://user:s3cr3t@relay?from={ADDRESS}",  # in the clear
        "smtp+tls://user:s3cr3t@relay",
        f"smtp+tls://user:s3cr3t%C3%A4@relay?from={ADDRESS}",
        f"smtp+tls://us%C3%A4r:s3cr3t@relay?from={ADDRESS}",
    ],
)
def test_mail_server_that_could_not_work_is_refused_without_its_password(written: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|its|smtp)") as refused:
        parsed(written)
    assert "s3cr3t" not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_settings_have_the_mail_server_and_a_bound_on_its_time() -> None:
    shown = (
        "SENDS_MAIL, settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER,"
        " settings.EMAIL_HOST_PASSWORD, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL,"
        " settings.EMAIL_TIMEOUT, settings.DEFAULT_FROM_EMAIL, settings.PASSWORD_RESET_TIMEOUT,"
        " settings.PUBLIC_URL"
    )
    where = {"EMAIL_URL": f"smtps://u:p%40@mail.example.org?from={ADDRESS}"}
    read = f"True mail.example.org 465 u p@ False True 10 {ADDRESS} 3600 https://orders.example.org"
    assert start(COMPLETE | where | {"PUBLIC_URL": "https://orders.example.org/"}, shown) == read
    assert (
        start(COMPLETE | where | {"ALLOWED_HOSTS": ".example.org,orders.example.org"}, shown)
        == read
    )


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"EMAIL_URL": "smtp://user:s3cr3t@relay"}, "EMAIL_URL can't be used"),
        ({"EMAIL_URL": f"smtps://u:change-me@m.example.org?from={ADDRESS}"}, "EMAIL_URL still has"),
        ({"EMAIL_URL": RELAY, "ALLOWED_HOSTS": "*,balancer"}, "EMAIL_URL needs PUBLIC_URL"),
        (
            {"EMAIL_URL": RELAY, "PUBLIC_URL": "https://shop.example.org"},
            "EMAIL_URL needs PUBLIC_URL, where links in mails lead, on a host of ALLOWED_HOSTS",
        ),
        (
            {"EMAIL_URL": RELAY, "PUBLIC_URL": "http://orders.example.org"},
            "EMAIL_URL needs a PUBLIC_URL with https://",
        ),
    ],
)
def test_settings_refuse_a_mail_server_and_name_the_variable(
    variables: dict[str, str], why: str
) -> None:
    said = start(COMPLETE | variables)
    assert why in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("allowed", "where"),
    [
        ("*,balancer", ""),
        (".example.com,balancer", ""),
        ("10.0.0.1,[::ffff:10.0.0.1],balancer", ""),
        ("localhost,balancer", "http://localhost:3000"),
        ("localhost,shop.example.com", "https://shop.example.com"),
        ("*,.example.com,10.0.0.1,shop.example.com,b.example.com", "https://shop.example.com"),
    ],
)
def test_links_lead_to_the_first_name_that_people_may_know(
    allowed: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    assert public_url("PUBLIC_URL", allowed.split(","), 3000) == where


def test_links_may_lead_to_this_machine_without_tls() -> None:
    here = {"EMAIL_URL": RELAY, "ALLOWED_HOSTS": "localhost,balancer"}
    assert start(COMPLETE | here, "PUBLIC_URL") == "http://localhost:3000"


def test_settings_without_a_mail_server_send_no_mail() -> None:
    assert start(COMPLETE, "SENDS_MAIL") == "False"
