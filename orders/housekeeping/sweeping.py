"""Having PostgreSQL give up what it has kept of rows as they were.

What an UPDATE leaves of a row can be read by who can read pages, and stands in the indexes, until
VACUUM has taken it out; and samples of the columns stand in the statistics until ANALYZE takes
others.
"""

import time
from functools import partial

import psycopg
from psycopg.errors import Diagnostic

from orderservice import redaction
from orderservice.postgresql import direct

_PATIENCE = 20.0  # seconds; what we do ourselves has ended by then, a backup has not

_SWEEP = (
    "VACUUM (ANALYZE, INDEX_CLEANUP ON) orders_order, orders_ordernote, orders_batch,"
    " orders_export, orders_stockbaseline, orders_savedfilter, orders_idempotencykey, orders_user,"
    " django_admin_log, django_session, axes_accessattempt"
)

# VACUUM leaves what the oldest transaction may still see, of whatever role, on a standby too, and
# no view tells everybody which one that is. But with FREEZE it writes down for a table up to where
# nobody was in its way: so a small table is asked before.
_PROBE = "VACUUM (FREEZE) orders_savedfilter"
_BEGUN = "SELECT pg_current_xact_id()::xid::text"
_UNSEEN = """
    SELECT age(relfrozenxid) < age(%s::xid) FROM pg_class
     WHERE oid = 'orders_savedfilter'::regclass
"""


class NotSwept(Exception):
    """Old versions of the rows are still there; ``str()`` says why."""


def sweep() -> None:
    """Take out what was of rows before now; wait some seconds for whoever may still read it.

    Takes half a minute at a million orders, and holds nobody up. What is left are bytes in free
    space, until new rows come there. Can be repeated. Raises `NotSwept`.
    """
    warnings: list[str] = []
    try:
        with direct.connect(direct.parameters()) as connection:
            connection.add_notice_handler(partial(_keep, warnings))
            unseen = _wait_until_unseen(connection)
            connection.execute(_SWEEP)
    except psycopg.Error as exc:
        raise NotSwept(redaction.told(exc)) from exc
    if warnings:  # who owns no table skips it
        raise NotSwept(warnings[0])
    if not unseen:
        raise NotSwept("a transaction that began before, as a backup's, may still read them")


def _keep(warnings: list[str], said: Diagnostic) -> None:
    if said.severity_nonlocalized == "WARNING":
        warnings.append(str(said.message_primary))


def _wait_until_unseen(connection: psycopg.Connection) -> bool:
    """Wait until nobody sees rows as they were before now; tell whether it came to that."""
    begun = connection.execute(_BEGUN).fetchone()
    until = time.monotonic() + _PATIENCE
    while True:
        connection.execute(_PROBE)
        if connection.execute(_UNSEEN, begun).fetchone() == (True,):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
