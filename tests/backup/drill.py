"""``make drill-restore``: back up a shop of a million orders, destroy it, restore it, compare.

In a database of its own on the local PostgreSQL, by the commands that an operator has. Exits 1 when
anything is not as it was.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import psycopg

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import CHECKOUT, Cluster
from tests.backup import contents, databases

DATABASE = "orders_restore_drill"
Held = tuple[dict[str, tuple[int, int]], dict[str, int | None]]  # tables, sequences


def main() -> int:
    """Run the drill; return 0 when all is as it was."""
    parser = argparse.ArgumentParser(prog="python -m tests.backup.drill", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    orders: int = parser.parse_args().orders
    postgres.ensure_running()
    cluster = Cluster.of(CHECKOUT)
    server, url = cluster.url("postgres"), cluster.url(DATABASE)
    databases.create(DATABASE, server=server)
    try:
        with tempfile.TemporaryDirectory(prefix="restore-drill-") as folder:
            return _drill(orders, server, url, folder)
    finally:
        databases.destroy(DATABASE, server=server)


def _drill(orders: int, server: str, url: str, folder: str) -> int:
    _manage(url, "migrate", "--verbosity", "0")
    _, seeding = _manage(url, "seed_demo", "--orders", str(orders))
    size, before = _size(url), _held(url)
    rows = sum(count for count, _ in before[0].values())
    _say("orders", f"{orders:,}, {rows:,} rows in {len(before[0])} tables, {seeding:.0f} s to seed")
    _say("database", f"{size / 1e6:,.0f} MB")

    made = _json(url, "backup_db", "--to", folder, "--json")
    share = 100 * made["size"] / size
    _say("backup", f"{made['seconds']:.1f} s, {made['size'] / 1e6:,.1f} MB ({share:.0f} %)")

    databases.create(DATABASE, server=server)
    _say("destroyed", "dropped, and made anew")

    started = time.monotonic()
    done = _json(url, "restore_db", made["file"], "--json")
    _say(
        "restore",
        f"{done['seconds']:.1f} s, and {done['tidying_seconds']:.1f} s to vacuum and analyze;"
        f" {time.monotonic() - started:.1f} s with all checks",
    )
    _say("database", f"{_size(url) / 1e6:,.0f} MB")

    after = _held(url)
    differ = sorted(_differing(before[0], after[0]) | _differing(before[1], after[1]))
    _say(
        "compared",
        f"{len(before[0])} tables by count and checksum, {len(before[1])} sequences: "
        + (f"DIFFERENT: {', '.join(differ)}" if differ else "the same"),
    )
    said, seconds = _manage(url, "reconcile_stock", "--no-inventory")
    _say("ledger", f"reconcile_stock --no-inventory: {said.strip()}, in {seconds:.1f} s")
    return 1 if differ or said.strip() != "clean" else 0


def _manage(url: str, *arguments: str) -> tuple[str, float]:
    """Run a command as an operator would; return what it wrote, and the seconds it took."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"DATABASE_URL": url, "DEBUG": "1", "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        check=arguments[0] != "reconcile_stock",
    )
    return done.stdout, time.monotonic() - started


def _json(url: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_manage(url, *arguments)[0])
    return found


def _size(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def _held(url: str) -> Held:
    with psycopg.connect(url) as connection:
        return contents.tables(connection), contents.sequences(connection)


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _say(what: str, text: str) -> None:
    sys.stdout.write(f"{what:<10} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
