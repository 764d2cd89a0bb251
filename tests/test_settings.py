"""Configuration: production refuses to start half configured, and every variable is documented."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured

from orderservice.environment import hours
from tests.processes import ROOT

COMPLETE = {
    "SECRET_KEY": "R8XWrtzTOm-9vbMc0Qh4eGZVqPnYkUJ2sFa7LdiB1w5xoNEC",
    "ALLOWED_HOSTS": "orders.example.org",
    "DATABASE_URL": "postgres://orders:pw@db.example.org/orders",
    "INVENTORY_SERVICE_URL": "https://inventory.example.org/api/v1",
}
READ = re.compile(
    r"""(?:env\.\w+|seconds|minutes|hours|lines|mail_server|networks|configured|limits|service|url|environ\.get)\(\s*["']([A-Z_]+)["']"""
)
DOCUMENTED = re.compile(r"^#?([A-Z_]+)=([^#\n]*?)(?: +#.*)?$", re.MULTILINE)


def example() -> dict[str, str]:
    """Return the variables of .env.example, those that are commented out too."""
    return dict(DOCUMENTED.findall((ROOT / ".env.example").read_text()))


def start(variables: dict[str, str], show: str = "DEBUG") -> str:
    """Read the settings in a process of its own; return one of them, or the error's last line."""
    command = f"from orderservice import settings; print(settings.{show})"
    clean = {name: value for name, value in os.environ.items() if name not in example()}
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        env=clean | {"DEBUG": "0"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]


@pytest.fixture(scope="module", autouse=True)
def _no_env_file() -> None:
    if (ROOT / ".env").exists():
        pytest.skip(".env fills in what these tests leave out")


def test_settings_that_are_complete_start() -> None:
    assert start(COMPLETE) == "False"


def test_settings_without_a_required_variable_refuse_and_name_it() -> None:
    with ThreadPoolExecutor(2) as pool:
        refusals = pool.map(
            lambda left_out: start({k: v for k, v in COMPLETE.items() if k != left_out}), COMPLETE
        )
        assert list(refusals) == [
            "django.core.exceptions.ImproperlyConfigured:"
            f" {name} must be set when DEBUG=0 (see .env.example)"
            for name in COMPLETE
        ]


def test_settings_without_any_required_variable_name_them_all() -> None:
    assert ", ".join(COMPLETE) + " must be set" in start({})


def test_settings_with_a_value_of_the_example_refuse_and_name_it() -> None:
    with ThreadPoolExecutor(2) as pool:
        refusals = pool.map(lambda name: start(COMPLETE | {name: example()[name]}), COMPLETE)
        assert list(refusals) == [
            "django.core.exceptions.ImproperlyConfigured:"
            f" {name} still has the value that stands in .env.example"
            for name in COMPLETE
        ]


def test_settings_with_a_weak_secret_refuse() -> None:
    assert "at least 40 characters" in start(COMPLETE | {"SECRET_KEY": "short"})


def test_settings_with_the_parts_of_a_database_url_take_any_password() -> None:
    parts = {
        "DATABASE_URL": "",
        "DATABASE_HOST": "/run/postgresql",
        "DATABASE_USERNAME": "orders",
        "DATABASE_PASSWORD": "p@ss:w/rd%",
        "DATABASE_NAME": "orders",
    }
    shown = "DATABASES['default']['HOST'], settings.DATABASES['default']['PASSWORD']"
    assert start(COMPLETE | parts, shown) == "/run/postgresql p@ss:w/rd%"


def test_settings_read_networks_and_minutes() -> None:
    given = {"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,fd00::/8", "SESSION_IDLE_MINUTES": "90"}
    shown = "SESSION_IDLE_SECONDS, [str(each) for each in settings.TRUSTED_PROXIES]"
    assert start(COMPLETE | given, shown) == "5400.0 ['10.0.0.0/8', '192.0.2.1/32', 'fd00::/8']"


def test_every_variable_that_is_read_stands_in_the_example() -> None:
    sources = [
        ROOT / "orderservice" / "database.py",
        ROOT / "orderservice" / "environment.py",
        ROOT / "orderservice" / "settings.py",
        ROOT / "gunicorn.conf.py",
    ]
    read = {name for source in sources for name in READ.findall(source.read_text())}
    assert {"SECRET_KEY", "DATABASE_NAME", "PORT", "SHOP_NAME"} <= read
    assert set(example()) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INVENTORY_SERVICE_URL", "inventory.local:8001"),
        ("INVENTORY_SERVICE_URL", "https://user:pw@inventory.example.org"),
        ("CATALOG_SERVICE_URL", "catalogue.example.org"),
        ("CATALOG_SERVICE_URL", "file:///etc/passwd"),
        ("CATALOG_SERVICE_URL", "https://user:pw@catalogue.example.org"),
        ("CATALOG_SERVICE_URL", "https://catalogue.example.org/?key=1"),
        ("CATALOG_TIMEOUT_SECONDS", "0"),
        ("INVENTORY_SETTLE_SECONDS", "-500"),
        ("INVENTORY_TIMEOUT_SECONDS", "nan"),
        ("SESSION_IDLE_MINUTES", "0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy.example.org"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),  # the network is 10.0.0.0/8: which was meant?
        ("ORDER_DUE_HOURS", "0"),
        ("PENDING_EXPIRE_HOURS", "0"),
    ],
)
def test_settings_that_could_not_work_refuse_and_name_it(name: str, value: str) -> None:
    assert name in start(COMPLETE | {name: value})


@pytest.mark.parametrize(
    ("written", "read"), [("", None), ("off", None), (" OFF", None), ("1", 1), (" 8760 ", 8760)]
)
def test_hours_are_whole_or_off(
    written: str, read: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hours("SOME_HOURS") is None
    monkeypatch.setenv("SOME_HOURS", written)
    assert hours("SOME_HOURS") == read


@pytest.mark.parametrize("written", ["0", "8761", "-1", "1.5", "1e2", "²", "on"])
def test_hours_that_are_none_refuse(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_HOURS", written)
    with pytest.raises(ImproperlyConfigured, match="SOME_HOURS must be whole hours"):
        hours("SOME_HOURS")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", "[]"),
        ("1 Harbour Road", "['1 Harbour Road']"),
        ("1 Harbour Road|12345 Springfield", "['1 Harbour Road', '12345 Springfield']"),
        (r"1 Harbour Road\n 12345 Springfield\n", "['1 Harbour Road', '12345 Springfield']"),
        ("1 Harbour Road\n\n12345 Springfield", "['1 Harbour Road', '12345 Springfield']"),
    ],
)
def test_shop_address_is_read_line_by_line(written: str, read: str) -> None:
    assert start(COMPLETE | {"SHOP_ADDRESS": written}, "SHOP_ADDRESS") == read
