"""Where PostgreSQL is, and on which terms we talk to it."""

from urllib.parse import quote

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from orderservice.dev import postgres
from orderservice.environment import BASE_DIR, configured, env


def given_url() -> str:
    """Return where PostgreSQL is: DATABASE_URL, or its five parts; empty when neither is set."""
    url = configured("DATABASE_URL")
    if url:
        return url
    host = configured("DATABASE_HOST")
    if host:
        user, password, name = (
            quote(value, safe="")
            for value in (
                env.str("DATABASE_USERNAME"),
                configured("DATABASE_PASSWORD"),
                env.str("DATABASE_NAME"),
            )
        )
        at = f"{quote(host, safe='')}:{env.int('DATABASE_PORT', 5432)}"
        return f"postgres://{user}:{password}@{at}/{name}"
    return ""


def local_url() -> str:
    """Return where development's own PostgreSQL is, or will be."""
    return postgres.socket_url(BASE_DIR)


# A statement that runs away, or waits on a lock behind one, ends as a clean 503 instead of
# holding a thread. A transaction pooler must be told to ignore these startup options.
DATABASE_OPTIONS = {
    "options": (
        "-c statement_timeout=15000 -c lock_timeout=5000"
        " -c idle_in_transaction_session_timeout=30000"
        # What is prepared is planned once; else a set of one, which an array's length gives away,
        # would be planned anew at each execution.
        " -c plan_cache_mode=force_generic_plan"
    ),
    "connect_timeout": 5,
    # A server that has vanished without a word, as in a failover, would be waited for a quarter of
    # an hour: what is sent must arrive within 10 s, and who is silent is asked whether it is there.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
RETRY_AFTER = 5  # seconds, that callers are told to wait when it can't be asked


def database(url: str) -> dict[str, object]:
    """Return Django's settings for one PostgreSQL URL."""
    parsed: dict[str, object] = {**dj_database_url.parse(url, conn_max_age=600)}
    if parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database")
    options = parsed.get("OPTIONS")
    parsed["OPTIONS"] = {
        **DATABASE_OPTIONS,
        # Of the statements that ask for it (orderservice.postgresql), at their first execution.
        "prepare_threshold": 0 if env.bool("DATABASE_PREPARED_STATEMENTS", True) else None,
        **(options if isinstance(options, dict) else {}),
    }
    parsed["ENGINE"] = "orderservice.postgresql"
    parsed["CONN_HEALTH_CHECKS"] = True
    return parsed
