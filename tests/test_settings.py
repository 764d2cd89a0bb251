"""Configuration: production refuses to start half configured, and every variable is documented."""

import json
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
    r"""(?:env\.\w+|seconds|minutes|hours|whole|choice|lines|mail_server|networks|hosts|origins?|configured|limits|service|url)\(\s*["']([A-Z_]+)["']"""
)
DOCUMENTED = re.compile(r"^#?([A-Z_]+)=([^#\n]*?)(?: +#.*)?$", re.MULTILINE)


def example() -> dict[str, str]:
    """Return the variables of .env.example, those that are commented out too."""
    return dict(DOCUMENTED.findall((ROOT / ".env.example").read_text()))


def start(variables: dict[str, str], show: str = "DEBUG") -> str:
    """Read the settings in a process of its own; return one of them, or the error's last line."""
    return _read(f"from orderservice import settings; print(settings.{show})", variables)


def start_gunicorn(variables: dict[str, str], show: str) -> str:
    """Read gunicorn's configuration likewise."""
    read = "import runpy; conf = runpy.run_path('gunicorn.conf.py')"
    return _read(f"{read}; print({show})", variables)


def _read(command: str, variables: dict[str, str], given: str = "") -> str:
    clean = {name: value for name, value in os.environ.items() if name not in example()}
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        env=clean | {"DEBUG": "0"} | variables,
        input=given,
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


IMPOSSIBLE = [
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
    ("ALLOWED_HOSTS", " , "),
    ("ALLOWED_HOSTS", "https://shop.example.com"),
    ("ALLOWED_HOSTS", "shop.example.com:443"),
    ("CORS_ALLOWED_ORIGINS", "shop.example.com"),
    ("CORS_ALLOWED_ORIGINS", "https://shop.example.com/"),
    ("CSRF_TRUSTED_ORIGINS", "shop.example.com"),
    ("PUBLIC_URL", "shop.example.com"),
    ("PUBLIC_URL", "https://shop.example.com/track"),
    ("PUBLIC_URL", "https://[shop"),
    ("PUBLIC_URL", "https://shop:abc"),
    ("PUBLIC_URL", "https://shop:65536"),
    ("PUBLIC_URL", "https://:443"),
    ("INVENTORY_DIALECT", "gate"),
    ("LOG_FORMAT", "text"),
    ("LOG_LEVEL", "verbose"),
    ("WEB_THREADS", "0"),
    ("PORT", "65536"),
    ("WEB_CONCURRENCY", "two"),
    ("WEB_ARRIVAL_SECONDS", "0"),
    ("WEB_DRAIN_SECONDS", "nan"),
    ("WEB_DRAIN_SECONDS", "-1"),
]
# In one process, as a start each would take a second each.
REFUSALS = """
import json, os, runpy, sys
from django.conf import empty, settings
refusals = []
for name, value in json.load(sys.stdin):
    before = dict(os.environ)
    os.environ[name] = value
    for module in [each for each in sys.modules if each.partition(".")[0] == "orderservice"]:
        del sys.modules[module]
    settings._wrapped = empty
    try:
        runpy.run_path("gunicorn.conf.py")
        refusals.append("none")
    except Exception as exc:
        refusals.append(f"{type(exc).__name__}: {exc}")
    os.environ.clear()
    os.environ.update(before)
print(json.dumps(refusals))
"""


def test_settings_that_could_not_work_refuse_and_name_it() -> None:
    """gunicorn reads them all, and some more."""
    refusals = json.loads(_read(REFUSALS, COMPLETE, json.dumps(IMPOSSIBLE)))
    for (name, value), refusal in zip(IMPOSSIBLE, refusals, strict=True):
        kind, _, words = refusal.partition(": ")
        assert (kind, name in words) in (
            ("ImproperlyConfigured", True),
            ("EnvValidationError", True),
        ), (name, value, refusal)


def test_lists_are_read_with_the_blanks_that_people_write() -> None:
    given = {
        "ALLOWED_HOSTS": "orders.example.org, .example.com,[::1],",
        "CORS_ALLOWED_ORIGINS": "https://a.example.com, http://b.example.com:8080",
        "CSRF_TRUSTED_ORIGINS": " https://*.example.com",
    }
    shown = "ALLOWED_HOSTS, settings.CORS_ALLOWED_ORIGINS, settings.CSRF_TRUSTED_ORIGINS"
    assert start(COMPLETE | given, shown) == (
        "['orders.example.org', '.example.com', '[::1]']"
        " ['https://a.example.com', 'http://b.example.com:8080'] ['https://*.example.com']"
    )


def test_words_of_a_choice_are_read_however_they_are_written() -> None:
    root = "logging.getLogger()"
    shown = f"{root}.level, type({root}.handlers[0].formatter.processors[-1])"
    command = f"import logging; from orderservice import settings; print({shown})"
    read = _read(command, COMPLETE | {"LOG_LEVEL": "warning", "LOG_FORMAT": "JSON"})
    assert read == "30 <class 'structlog.processors.JSONRenderer'>"


def test_gunicorn_takes_what_the_settings_and_its_own_variables_say() -> None:
    assert start_gunicorn(COMPLETE | {"WEB_THREADS": "5"}, "conf['threads']") == "5"
    assert start_gunicorn(COMPLETE, "conf['drain_seconds']") == "5"
    assert start_gunicorn(COMPLETE | {"WEB_DRAIN_SECONDS": "0"}, "conf['drain_seconds']") == "0.0"


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
