"""``python -m benchmarks.admin``: the admin with a million orders, beside one of the usual kind.

Makes a database of its own in the local PostgreSQL, and fills it once (``ORDERS=1000000``).
"""

import argparse
import importlib
import os
import sys

import django
import psycopg
from psycopg import sql

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import CHECKOUT, Cluster

DATABASE = "orders_benchmark"


def main() -> int:
    """Fill the database unless it is full, measure, and print both side by side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admin", description=__doc__)
    parser.add_argument("--orders", type=int, default=int(os.environ.get("ORDERS", "1000000")))
    options = parser.parse_args()
    postgres.ensure_running()
    cluster = Cluster.of(CHECKOUT)
    _create_database(cluster.url("postgres"))
    os.environ |= {
        "DATABASE_URL": cluster.url(DATABASE),
        "DEBUG": "1",
        "LOG_LEVEL": "CRITICAL",
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    }
    django.setup()
    pages = importlib.import_module("benchmarks.pages")  # models can be imported only now
    pages.fill(options.orders)
    pages.compare(sys.stdout)
    return 0


def _create_database(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


if __name__ == "__main__":
    sys.exit(main())
