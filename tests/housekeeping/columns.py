"""Every column that can say something, and what it says of a person."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection

from orders.signin.session_keys import SessionStore

# What never names anybody, and why. A column that is neither here nor filled by `canary.live`
# fails the test: say here why it can't, or erase it, and have `live` fill it.
_WORDS = "one of our own words"
_KEYS = "a key that we made, which is nobody's but the row's"
_USER = "user:<key>, guest or system"
_PRODUCT = "a product, or what the inventory says of one"
_UNUSED = "of a library's table that nothing writes to"
SPEAKS_OF_NOBODY = {
    "auth_group": (_WORDS, "name"),
    "auth_permission": (_WORDS, "name codename"),
    "axes_accessattempt": (
        "written empty, or where the form is; the row goes",
        "user_agent http_accept path_info get_data post_data ip_address",
    ),
    "axes_accessfailurelog": (_UNUSED, "user_agent ip_address username http_accept path_info"),
    "axes_accesslog": (
        _UNUSED,
        "user_agent ip_address username http_accept path_info session_hash",
    ),
    "django_admin_log": ("a key; names of fields", "object_id change_message"),
    "django_content_type": (_WORDS, "app_label model"),
    "django_migrations": (_WORDS, "app name"),
    "django_session": (_KEYS, "session_key"),
    "orders_apikey": (
        "of a service: an account that has one is no customer's",
        "id prefix hashed_key name",
    ),
    "orders_batch": (_WORDS + " or " + _USER, "actor via verb reason"),
    "orders_batchentry": ("an error in our words, with products", "outcome code why"),
    "orders_confirmation": (
        _WORDS + ", products, or " + _USER,
        "state actor via failure shortages",
    ),
    "orders_export": (_WORDS, "kind outcome"),
    "orders_idempotencykey": ("a hash; the row goes", "fingerprint"),
    "orders_order": (
        _WORDS + ", and a link's key",
        "currency status stock_state hold_reason price_source public_id",
    ),
    "orders_orderevent": (
        "append-only, hence never a personal datum",
        "kind from_status to_status actor via data",
    ),
    "orders_orderitem": (_PRODUCT, "product_id"),
    "orders_processreport": ("counts by templates of routes, and " + _WORDS, "id role samples"),
    "orders_ratecount": ("user:<key>, or an address without a name, for a day", "key"),
    "orders_stockattempt": (_PRODUCT, "outcome trace_id movement_id"),
    "orders_stockbaseline": (_PRODUCT + ", or " + _USER, "product_id actor via"),
    "orders_stockmovement": (
        _PRODUCT + ", or " + _USER,
        "id product_id state before_updated_at after_updated_at rejection resolved_by reverses_id",
    ),
    "otp_static_staticdevice": (_WORDS, "name"),
    "otp_static_statictoken": ("a hash; the row goes", "token"),
    "otp_totp_totpdevice": (_WORDS, "name"),
    "procrastinate_jobs": (_WORDS + ", and keys", "queue_name task_name lock args queueing_lock"),
    "procrastinate_periodic_defers": (_WORDS, "task_name periodic_id"),
    "rest_framework_api_key_apikey": (_UNUSED, "id name hashed_key prefix"),
}
SILENT = {
    f"{table}.{column}"
    for table, (_, names) in SPEAKS_OF_NOBODY.items()
    for column in names.split()
}

_MUTE = ("int2", "int4", "int8", "numeric", "float8", "bool", "timestamptz", "date")
_COLUMNS = """
    SELECT c.relname || '.' || a.attname
      FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm')
      JOIN pg_type t ON t.oid = a.atttypid AND t.typtype <> 'e' AND NOT t.typname = ANY(%s)
     WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
"""
_SAMPLES = """
    SELECT tablename || '.' || attname, concat_ws(' ', most_common_vals, histogram_bounds)
      FROM pg_stats WHERE schemaname = 'public'
"""


def that_speak() -> set[str]:
    """Return every column of the database that can name somebody, as ``table.column``."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [list(_MUTE)])
        return {name for (name,) in cursor.fetchall()}


def naming(words: Collection[str]) -> set[str]:
    """Return the columns in which one of the words stands, in any case."""
    return {name for name in that_speak() if _holds(_values(name), words)}


def sampled(words: Collection[str]) -> set[str]:
    """Return the columns of which PostgreSQL's statistics hold one of the words, indexes' too."""
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES)
        return {name for name, samples in cursor.fetchall() if _holds([samples], words)}


def _values(name: str) -> list[str]:
    table, column = name.split(".")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {column} FROM {table}")
        values = [value for (value,) in cursor.fetchall() if value is not None]
    if name == "django_session.session_data":
        values += [SessionStore().decode(value) for value in values]
    return [_said(value) for value in values]


def _said(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, memoryview) else str(value)


def _holds(values: Iterable[str], words: Collection[str]) -> bool:
    return any(word.lower() in value.lower() for value in values for word in words)
