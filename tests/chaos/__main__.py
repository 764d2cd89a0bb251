"""``python -m tests.chaos``: run the chaos proof, print its report, exit 1 if it is not clean."""

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.chaos.rules import RULES
from tests.chaos.run import Run
from tests.chaos.size import SMALL, of_minutes, without


def main() -> int:
    """Run once; exit code 0 clean, 1 not clean."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    size = SMALL if options.small else of_minutes(options.minutes)
    command = f"make chaos MINUTES={options.minutes:g} SEED={options.seed}"
    rule = None
    if options.ablation:
        rule = RULES[options.ablation]
        size = without(size, rule)
        command += f" ABLATION={options.ablation}"
    if options.small:
        command = f"python -m tests.chaos --small --seed {options.seed}"
    report = Run(size, options.seed, command, options.ablation, rule).execute(_say)
    sys.stdout.write(report.text())
    if options.json:
        options.json.write_text(json.dumps(report.document(), indent=1))
    return 0 if report.clean else 1


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default: 5)")
    parser.add_argument("--seed", type=int, default=7, help="what to draw (default: 7)")
    parser.add_argument(
        "--ablation", choices=["", *RULES], default="", help="the rule to do without"
    )
    parser.add_argument(
        "--small", action="store_true", help="100 orders, some ten kills, 1 restart"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
