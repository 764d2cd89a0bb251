"""``python -m benchmarks.bad_input``: thousands of malformed requests, and what they get.

The service runs as it is deployed, without development's aids, and with every rate counted but
none refused. Nothing may answer with a 5xx, every refusal below ``/api`` must be a problem, and
nothing may be written; else the exit code is 1. What is no HTTP at all gunicorn refuses by itself:
that is told apart by the request id, which the service alone gives.
"""

import argparse
import os
import secrets
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from statistics import median

import psycopg
import requests
from psycopg import sql

from orderservice.rates import Scope
from tests.chaos import report
from tests.chaos.forks import ROOT
from tests.chaos.recovery import quantile
from tests.chaos.stack import Stack
from tests.malformed.case import HOST, Case, Site
from tests.malformed.judge import Answer, faults
from tests.malformed.making import cases
from tests.malformed.values import ORDER
from tests.malformed.wire import send
from tests.processes import MANAGE

# What counts and guards is written: rates, wrong sign-ins, and when a key was last used.
GUARDS = {"orders_ratecount", "axes_accessattempt", "orders_apikey"}
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": HOST,
    "SECURE_SSL_REDIRECT": "0",
    "API_THROTTLES": ",".join([*(f"{scope}=900000000/s" for scope in Scope), "open=900000000"]),
}
_EXAMPLES = 100


def main() -> int:
    """Send them all, and print what came back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_input", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", help="kinds that begin so, as 'HTTP'")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    _collect_static_files()
    with Stack(workers=0, true_pace=True, environment=PRODUCTION) as stack:
        site = Site(stack.key, _placed(stack))
        before = _written(stack.database_url)
        wanted = [case for case in cases(options.seed, site) if case.kind.startswith(options.only)]
        answers = [(case, send(stack.port, case)) for case in wanted]
        changed = sorted(
            name for name, rows in _written(stack.database_url).items() if rows != before.get(name)
        )
        if stack.upstream.effects():
            changed.append("the inventory's stock")
        restarts = sum(stack.restarts.values())
    return _tell(options.seed, answers, changed, restarts)


def _collect_static_files() -> None:
    """Do as a release does, before anything serves: a server reads once which files there are."""
    nowhere = {
        "DATABASE_URL": "postgres://nowhere.invalid/orders",
        "INVENTORY_SERVICE_URL": "https://nowhere.invalid/api/v1",
    }
    subprocess.run(
        [*MANAGE, "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, **nowhere},
        check=True,
    )


def _placed(stack: Stack) -> str:
    """Place a good order, from which the malformed ones differ; there is stock for them all."""
    stack.upstream.set_stock({"10": 1_000_000})
    url = f"http://{HOST}:{stack.port}/api/orders"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, json=ORDER, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _written(database_url: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows of each table, and a digest of all that they say."""
    found = {}
    with psycopg.connect(database_url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (name,) in names:
            query = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t"
            row = connection.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone()
            if name not in GUARDS and row is not None:
                found[str(name)] = row
    return found


def _tell(seed: int, answers: list[tuple[Case, Answer]], changed: list[str], restarts: int) -> int:
    """Print the table, the figures and all that is wrong; return the exit code."""
    kinds: dict[str, list[Answer]] = defaultdict(list)
    for case, answer in answers:
        kinds[case.kind].append(answer)
    out = [f"commit {report.commit()}, seed {seed}", "| kind | cases | answers |", "|---|--:|---|"]
    for kind, found in kinds.items():
        counts = Counter(map(_label, found))
        said = ", ".join(f"{label} × {count}" for label, count in sorted(counts.items()))
        out.append(f"| {kind} | {len(found)} | {said} |")
    times = sorted(1000 * answer.seconds for _, answer in answers if 400 <= answer.status < 500)
    wrong = [(case, fault) for case, answer in answers for fault in faults(case, answer)]
    failed = sum(answer.status >= 500 and answer.is_the_services for _, answer in answers)
    slowest, last = max(answers, key=lambda each: each[1].seconds)
    own = sum(not answer.is_the_services for _, answer in answers)
    out += [
        "",
        f"in all: {len(answers):,} cases; 5xx of the service: {failed};"
        f" refused {len(times):,}, after {median(times):.1f} ms (median),"
        f" {quantile(times, 0.99):.1f} ms (p99); the slowest answer of all,"
        f" after {1000 * last.seconds:.0f} ms, to {slowest}",
        f"{own} of them were no HTTP to gunicorn, which answers by itself (*)",
        f"written: {', '.join(changed) or 'nothing'}; processes that died: {restarts}",
        f"wrong answers: {len(wrong)}",
    ]
    for case, fault in wrong[:_EXAMPLES]:
        out.append(f"  {fault} to {case}: {case.wire()[:600]!r}")
    sys.stdout.write("\n".join(out) + "\n")
    return 1 if wrong or changed or restarts else 0


def _label(answer: Answer) -> str:
    status = str(answer.status) if answer.status else "closed"
    return status if answer.is_the_services else f"{status}*"


if __name__ == "__main__":
    sys.exit(main())
