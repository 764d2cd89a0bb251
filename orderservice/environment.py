"""How a variable of the environment, or of a ``.env`` file, becomes a typed value.

A missing or malformed one refuses to start and says what it wants.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from orderservice import mail, rates

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

DEBUG = env.bool("DEBUG", False)
PLACEHOLDER = "change-me"  # in what .env.example leaves to be filled in


def configured(name: str) -> str:
    """Return the variable, empty when unset; refuse what nobody has filled in yet."""
    value = env.str(name, "")
    if PLACEHOLDER in value and not DEBUG:
        raise ImproperlyConfigured(f"{name} still has the value that stands in .env.example")
    return value


def seconds(name: str, default: float) -> float:
    """Return a duration; refuse one that is not above 0."""
    return _above_zero(name, default, "seconds")


def minutes(name: str, default: float) -> float:
    """Return a duration that is given in minutes, in seconds; refuse one that is not above 0."""
    return 60 * _above_zero(name, default, "minutes")


def hours(name: str) -> int | None:
    """Return whole hours from 1 to a year's 8760; None when unset, or ``off``."""
    text = env.str(name, "").strip()
    if text.lower() in ("", "off"):
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 24 * 365):
        raise ImproperlyConfigured(f"{name} must be whole hours, from 1 to a year's 8760, or off")
    return int(text)


def lines(name: str) -> list[str]:
    r"""Return a text's lines; they end at a line break, at ``\n`` written out, or at ``|``."""
    text = env.str(name, "")
    return [line.strip() for line in re.split(r"\n|\\n|\|", text) if line.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the networks of a list by comma; a bare address is a network of one."""
    listed: list[str] = env.list(name, [])
    try:
        return [ip_network(text.strip()) for text in listed if text.strip()]
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name} must be addresses or CIDRs by comma: {exc}") from exc


def limits(name: str) -> rates.Limits:
    """Return how often a client may ask for what."""
    try:
        return rates.parsed(env.str(name, "on"))
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name} must be on, off, or like orders=30/min: {exc}") from exc


def mail_server(name: str) -> mail.Server | None:
    """Return the mail server and the sender, None when unset."""
    value = configured(name)
    try:
        return mail.parsed(value) if value else None
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name} can't be used: {exc}") from exc


def url(name: str, *schemes: str) -> str:
    """Return an address with one of the schemes, empty when unset."""
    value = configured(name)
    if value and not re.fullmatch(rf"({'|'.join(schemes)})://\S+", value):
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(schemes)} and ://")
    return value


def service(name: str, default: str = "") -> str:
    """Return a service's base URL: http or https, a host, and neither credentials nor query."""
    value = configured(name) or default
    if value and not re.fullmatch(r"https?://[^\s/@?#]+[^\s@?#]*", value):
        raise ImproperlyConfigured(
            f"{name} must be http:// or https:// and a host, without credentials or query"
        )
    return value


def _above_zero(name: str, default: float, unit: str) -> float:
    value: float = env.float(name, default)
    if not 0 < value < float("inf"):
        raise ImproperlyConfigured(f"{name} must be a number of {unit} above 0")
    return value
