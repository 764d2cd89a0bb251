"""How a variable of the environment, or of a ``.env`` file, becomes a typed value.

A missing or malformed one refuses to start and says what it wants.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port
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


def seconds(name: str, default: float, *, may_be_none: bool = False) -> float:
    """Return a duration; refuse one that is not above 0, or 0 where that is a meaning."""
    if may_be_none and env.float(name, default) == 0:
        return 0.0
    return _above_zero(name, default, "seconds")


def whole(name: str, default: int, *, most: int) -> int:
    """Return a count from 1 to ``most``."""
    text = env.str(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def choice(name: str, default: str, *allowed: str) -> str:
    """Return one of the words that are allowed, however its letters are written."""
    text = env.str(name, "").strip() or default
    for word in allowed:
        if word.lower() == text.lower():
            return word
    raise ImproperlyConfigured(f"{name} must be {', '.join(allowed[:-1])} or {allowed[-1]}")


def hosts(name: str) -> list[str]:
    """Return names by comma as ``ALLOWED_HOSTS`` has them: no scheme, port or path; or nothing."""
    listed = _listed(name)
    if configured(name) and not listed:
        raise ImproperlyConfigured(f"{name} names no host")
    for host in listed:
        if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9A-Fa-f:.]+\]", host):
            raise ImproperlyConfigured(f"{name} must be host names by comma, not {host}")
    return listed


_ORIGIN = re.compile(r"https?://[^\s/@?#]+")


def origins(name: str) -> list[str]:
    """Return origins by comma, as browsers name them: a scheme and a host, perhaps a port.

    Django takes patterns for some, as https://*.example.com: so a host is not looked at further.
    """
    listed = _listed(name)
    for each in listed:
        if not _ORIGIN.fullmatch(each):
            raise ImproperlyConfigured(
                f"{name} must be like https://shop.example.com by comma, not {each}"
            )
    return listed


def origin(name: str) -> str:
    """Return an origin, after which a slash may stand; empty when unset."""
    value = configured(name).removesuffix("/")
    host, port = split_domain_port(value.partition("://")[2])
    is_one = _ORIGIN.fullmatch(value) and host and 1 <= int(port or 80) <= 65535
    if value and not is_one:
        raise ImproperlyConfigured(f"{name} must be like https://shop.example.com, not {value}")
    return value


# Neither a pattern, nor an address, nor a name without a dot, as Compose's balancer has.
_PUBLIC_NAME = re.compile(r"[\w-][\w.-]*\.[A-Za-z][\w-]*", re.ASCII)


def public_url(name: str, allowed: Sequence[str], port: int) -> str:
    """Return the origin at which people find us; unset, by the allowed hosts; empty if unknown."""
    names = [f"https://{host}" for host in allowed if _PUBLIC_NAME.fullmatch(host)]
    here = [f"http://localhost:{port}"] if "localhost" in allowed else []
    return origin(name) or next(iter(names + here), "")


def minutes(name: str, default: float) -> float:
    """Return a duration that is given in minutes, in seconds; refuse one that is not above 0."""
    return 60 * _above_zero(name, default, "minutes")


MOST_HOURS = 24 * 365  # a year


def hours(name: str) -> int | None:
    """Return whole hours from 1 to ``MOST_HOURS``; None when unset, or ``off``."""
    text = env.str(name, "").strip()
    if text.lower() in ("", "off"):
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_HOURS):
        raise ImproperlyConfigured(f"{name} must be whole hours, from 1 to {MOST_HOURS}, or off")
    return int(text)


def lines(name: str) -> list[str]:
    r"""Return a text's lines; they end at a line break, at ``\n`` written out, or at ``|``."""
    text = env.str(name, "")
    return [line.strip() for line in re.split(r"\n|\\n|\|", text) if line.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the networks of a list by comma; a bare address is a network of one."""
    try:
        return [ip_network(text) for text in _listed(name)]
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


def _listed(name: str) -> list[str]:
    return [text.strip() for text in configured(name).split(",") if text.strip()]


def _above_zero(name: str, default: float, unit: str) -> float:
    value: float = env.float(name, default)
    if not 0 < value < float("inf"):
        raise ImproperlyConfigured(f"{name} must be a number of {unit} above 0")
    return value
