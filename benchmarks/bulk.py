"""``python -m benchmarks.bulk``: many orders confirmed from the admin's list, against one by one.

The service runs as it is deployed, with one worker; each order has two products of its own, so that
nothing waits for a product. One by one means: the next order's button when the last has answered.
"""

import argparse
import signal
import sys
import time

import requests

from tests.chaos import report
from tests.chaos.drills import Drill
from tests.chaos.stack import Stack


def main() -> int:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--orders", type=int, default=1000, help="from the list (default: 1000)")
    parser.add_argument("--single", type=int, default=200, help="one by one (default: 200)")
    parser.add_argument("--latency", type=int, default=20, help="of the inventory, in ms")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    with Stack(workers=1, true_pace=True) as stack:
        wanted = options.orders + options.single
        drill = Drill(stack, wanted, products=2 * wanted)
        stack.upstream.call("PUT", "switches", {"latency_ms": options.latency})
        begun = time.perf_counter()
        for _ in range(options.single):
            drill.click(drill.placed.pop(0))
        single = (time.perf_counter() - begun) / options.single
        begun = time.perf_counter()
        _confirm_all_pending(stack)
        answered = time.perf_counter() - begun
        drill.wait_for(options.orders, within=600)
        bulk = time.perf_counter() - begun
    rate = options.orders / bulk
    sys.stdout.write(
        f"commit {report.commit()}, inventory {options.latency} ms, 2 products an order\n"
        f"one by one: {1000 * single:.0f} ms an order, {single * options.orders:.0f} s"
        f" for {options.orders:,} (from {options.single})\n"
        f"from the list: answered after {answered:.2f} s, all confirmed after {bulk:.1f} s,"
        f" {rate:.0f} orders/s, {single * options.orders / bulk:.1f} times as fast\n"
    )
    return 0


def _confirm_all_pending(stack: Stack) -> None:
    """Choose Confirm for all that match, and say yes to the page that asks."""
    staff = requests.Session()
    staff.trust_env = False
    staff.cookies.set("sessionid", stack.zygote.do("sign_in"))
    url = f"http://127.0.0.1:{stack.port}/admin/orders/order/?status__exact=PENDING"
    token = staff.get(url, timeout=30).text.partition('name="csrfmiddlewaretoken" value="')[2]
    form = {
        "csrfmiddlewaretoken": token.partition('"')[0],
        "action": "confirm",
        "index": "0",
        "select_across": "1",
        "_selected_action": "0",  # Django wants one
    }
    asked = staff.post(url, form, timeout=30)
    selection = asked.text.partition('name="selection" value="')[2].partition('"')[0]
    done = staff.post(url, form | {"selection": selection}, timeout=60)
    if "/batch/" not in done.url:
        raise RuntimeError(f"{done.status_code} {done.url}")


if __name__ == "__main__":
    sys.exit(main())
