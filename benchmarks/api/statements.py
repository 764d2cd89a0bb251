"""What PostgreSQL alone makes of the same work: pgbench with the statements that it comes to."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

# As a service would write that sends a statement for each table.
CREATE = """
BEGIN;
INSERT INTO orders_order (public_id, customer_reference, full_name, email, address, city, zip_code,
  currency, total, price_source, placed_from, status, stock_state, version)
VALUES (gen_random_uuid(), 'guest-0123456789ab', 'Customer 1', 'customer1@example.com',
  '12 Preah Norodom Blvd', 'Phnom Penh', '12000', 'USD', 44.98, 'sent',
  md5(random()::text), 'PENDING', 'clear', 1)
RETURNING number \\gset
INSERT INTO orders_orderitem (order_id, product_id, quantity, unit_price)
VALUES (:number, 'BENCH-00001', 2, 19.99), (:number, 'BENCH-00002', 1, 5.00);
INSERT INTO orders_orderevent (order_id, kind, from_status, to_status, actor, via, data)
VALUES (:number, 'placed', '', 'PENDING', 'guest', 'api', '{}');
COMMIT;
"""


def script(name: str, database: str, statement: str) -> str:
    """Return a pgbench script: ``create``, or ``read`` with the statement that reads an order."""
    if name == "create":
        return CREATE
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT min(number), max(number) FROM orders_order").fetchone()
    assert row
    return f"\\set number random({row[0]}, {row[1]})\n{statement.replace('%s', ':number')};\n"


def rate(binaries: Path, database: str, commands: str, *, clients: int, seconds: float) -> float:
    """Return the transactions a second of a script, prepared once by each client."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(commands)
        file.flush()
        command = [str(binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1"]
        done = subprocess.run(
            [*command, "-T", str(max(1, round(seconds))), "-f", file.name, database],
            env={**os.environ, "LD_LIBRARY_PATH": str(binaries.parent / "lib")},
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])
