"""How the figures grow with the table, drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.api.measuring import Row

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 60, 210, 30, 50
COLOURS = ("#1b6ca8", "#c2571a", "#2e7d32", "#7b3fa0", "#a33", "#00838f", "#6d4c41", "#555")


def growth(rows: Sequence[Row], sizes: Sequence[int]) -> str:
    """Return a drawing of each work's p50 by the number of orders, both axes logarithmic."""
    names = [f"{size:,}" for size in sizes]
    values = [[row.median(name, "p50") for name in names] for row in rows]
    low = math.floor(math.log10(min(map(min, values))))
    high = math.ceil(math.log10(max(map(max, values))))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(size: int) -> float:
        share = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return LEFT + share * (right - LEFT)

    def y(value: float) -> float:
        return bottom - (math.log10(value) - low) / (high - low) * (bottom - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18">Median time of an answer in ms, by orders in the table</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(
            f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for size in sizes:
        parts.append(
            f'<path d="M{x(size):.1f} {TOP}V{bottom}" stroke="#ddd"/>'
            f'<text x="{x(size):.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>'
        )
    lines = sorted(zip(rows, values, COLOURS, strict=False), key=lambda line: -line[1][-1])
    for place, (row, line, colour) in enumerate(lines):
        points = " ".join(
            f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, line, strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{right + 12}" y="{TOP + 14 + 20 * place}" fill="{colour}">'
            f"{row.name}: {line[-1]:.0f}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
