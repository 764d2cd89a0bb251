"""``python -m tests.uptime``: one drill, at a steady load; exit code 0 when nothing was wrong."""

import argparse
import signal
import sys

from tests.chaos import report
from tests.processes import haproxy
from tests.uptime import drills
from tests.uptime.site import Site
from tests.uptime.verdict import reconciled, say, verdict

SHOWN = 10  # faults


def main() -> int:
    """Run the drill that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.uptime", description=drills.__doc__)
    names = parser.add_subparsers(dest="drill", required=True)
    rolling = names.add_parser("rolling")
    rolling.add_argument("--seconds", type=float, default=60.0)
    rolling.add_argument("--drain", help="WEB_DRAIN_SECONDS")
    database = names.add_parser("database")
    database.add_argument("--seconds", type=float, default=20.0, help="that PostgreSQL is away")
    database.add_argument("--batch", type=int, default=200, help="orders, for the worker")
    how = database.add_mutually_exclusive_group()
    for flag, means in (("crashed", "ends as by a crash"), ("frozen", "answers nobody")):
        how.add_argument(
            f"--{flag}", action="store_const", const=flag, dest="how", help=f"PostgreSQL {means}"
        )
    database.set_defaults(how="stopped")
    for each in (rolling, database):
        each.add_argument("--rate", type=float, default=100.0, help="requests a second")
    options = parser.parse_args()
    if haproxy() is None:
        parser.error("HAProxy is missing. Debian: apt-get install haproxy")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    say(f"{options.drill} at {options.rate:g} requests a second, commit {report.commit()}")
    drain = {"WEB_DRAIN_SECONDS": options.drain} if getattr(options, "drain", None) else {}
    with Site(**drain) as site:
        load = drills.open_shop(site)
        if options.drill == "rolling":
            found = drills.rolling(site, load, rate=options.rate, seconds=options.seconds)
            found += verdict(site, load, within=60.0)
        else:
            found = drills.database(
                site,
                load,
                rate=options.rate,
                seconds=options.seconds,
                batch=options.batch,
                how=options.how,
            )
            found += verdict(site, load, within=240.0)  # what nobody heard of takes 132 s
        found += reconciled(site)
    for fault in found[:SHOWN]:
        say(f"  {fault}")
    say(f"NOT CLEAN: {len(found)} faults" if found else "nothing failed, and nothing was lost")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
