"""``python -m inventory_client.sandbox``: run the local inventory service."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from inventory_client.sandbox.control import DEMO_PRICES, DEMO_STOCK
from inventory_client.sandbox.server import Sandbox


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; prints one line with the URL once it listens."""
    options = _parser().parse_args(arguments)
    sandbox = Sandbox(
        host=options.host,
        port=options.port,
        data=options.data,
        stock={} if options.empty else DEMO_STOCK,
        prices={} if options.empty else DEMO_PRICES,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # From a thread of its own, as stopping waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=sandbox.stop).start())
    sys.stdout.write(
        f"Inventory sandbox on {sandbox.root_url}/"
        f" (inventory: {sandbox.url}, gateway: {sandbox.gateway_url},"
        f" catalogue: {sandbox.catalogue_url})\n"
    )
    sys.stdout.flush()
    sandbox.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inventory_client.sandbox",
        description="A local inventory service, true to the real one, with faults on demand.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0 takes any free one")
    parser.add_argument(
        "--data", default="inventory-sandbox.sqlite3", help="the SQLite file that keeps the stock"
    )
    parser.add_argument("--empty", action="store_true", help="seed no demo products")
    return parser


if __name__ == "__main__":
    main()
