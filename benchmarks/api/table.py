"""What was measured, for people."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.api.measuring import Row

FIGURES = ("rate", "p50", "p95", "p99", "cpu", "postgres_cpu")
HEADS = ("req/s", "p50", "p95", "p99", "CPU", "PostgreSQL CPU")


def side_by_side(rows: Sequence[Row], ours: str, others: Sequence[str]) -> str:
    """Return a table with a line for each work and server, and the ratios to ours."""
    lines = [
        f"| work | server | {' | '.join(HEADS)} | ours / it |",
        "|---|---|" + "--:|" * (len(HEADS) + 1),
    ]
    for row in rows:
        rate = row.median(ours, "rate")
        for server in (ours, *others):
            figures = " | ".join(_short(row.median(server, each)) for each in FIGURES)
            its = row.median(server, "rate")
            ratio = "" if server == ours else f"{rate / its:.1f}×" if its else "–"
            lines.append(f"| {row.name} | {server} | {figures} | {ratio} |")
        if row.pgbench:
            its = sorted(row.pgbench)[len(row.pgbench) // 2]
            lines.append(
                f"| {row.name} | pgbench | {its:,.0f} | | | | | | {100 * rate / its:.0f} % |"
            )
    return "\n".join(lines) + "\n"


def growth(rows: Sequence[Row], sizes: Sequence[str]) -> str:
    """Return a table of each work's p50 and p95 by size, and how the largest is to the smallest."""
    first, last = sizes[0], sizes[-1]
    heads = " | ".join(f"{size}: req/s, p50, p95" for size in sizes)
    lines = [
        f"| work | {heads} | p50 | p95 | req/s |",
        "|---|" + "--:|" * (len(sizes) + 3),
    ]
    for row in rows:
        cells = [
            ", ".join(_short(row.median(size, each)) for each in ("rate", "p50", "p95"))
            for size in sizes
        ]
        ratios = [
            f"{row.median(last, each) / row.median(first, each):.2f}×"
            for each in ("p50", "p95", "rate")
        ]
        lines.append(f"| {row.name} | {' | '.join([*cells, *ratios])} |")
    return "\n".join(lines) + "\n"


def _short(figure: float) -> str:
    return (
        f"{figure:,.0f}" if figure >= 100 else f"{figure:.2g}" if figure < 10 else f"{figure:.0f}"
    )
