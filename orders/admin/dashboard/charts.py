"""Charts as plain SVG: positions in percent, so that they fit any width without any script.

Only numbers are worked out here. The templates draw them with classes, which a strict content
security policy lets through and the dark mode recolours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_GAP = 0.25  # of a column's width, left free between two
# Round tops of a scale, times a power of ten.
_STEPS = [Decimal(step) for step in ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10")]


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a column, as percentages of the plot; ``kind`` is its class."""

    kind: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One value's place from left to right, and what hovering over it tells."""

    left: str
    width: str
    inner_left: str
    inner_width: str
    centre: str
    top: str  # of all its bars
    bars: list[Bar]
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns under a scale that begins at 0; ``line`` joins their tops in a box of 100 by 100."""

    columns: list[Column]
    scale: list[str]  # from the top to 0, evenly spread
    line: str
    area: str


def chart(
    values: Sequence[Sequence[tuple[str, Decimal | int]]],
    told: Sequence[str],
    *,
    whole: bool = True,
) -> Chart:
    """Stack each column's values, named by their kinds, upon each other; in the order given."""
    sums = [sum((Decimal(value) for _, value in column), Decimal(0)) for column in values]
    top = ceiling(max(sums, default=Decimal(0)), whole=whole)
    width = 100 / max(1, len(values))
    columns = []
    for place, column in enumerate(values):
        bars, reached = [], Decimal(0)
        for kind, value in column:
            reached += value
            bars.append(Bar(kind, _percent(100 - 100 * reached / top), _percent(100 * value / top)))
        columns.append(
            Column(
                left=_percent(place * width),
                width=_percent(width),
                inner_left=_percent((place + _GAP / 2) * width),
                inner_width=_percent(width * (1 - _GAP)),
                centre=_percent((place + 0.5) * width),
                top=_percent(100 - 100 * reached / top),
                bars=bars,
                told=told[place],
            )
        )
    points = [(column.centre.rstrip("%"), column.top.rstrip("%")) for column in columns]
    line = " ".join(f"{x},{y}" for x, y in points)
    area = f"{points[0][0]},100 {line} {points[-1][0]},100" if points else ""
    return Chart(columns, [_compact(top), _compact(top / 2), "0"], line, area)


def ceiling(most: Decimal, *, whole: bool) -> Decimal:
    """Return the round number at or above the largest value, whose half is as round."""
    lowest = Decimal(2) if whole else Decimal(1)
    if most <= lowest:
        return lowest
    power = Decimal(10) ** most.adjusted()
    for step in _STEPS:
        top = step * power
        if top >= most and not (whole and top % 2):
            return top
    return 20 * power


def _percent(value: Decimal | float) -> str:
    return f"{value:.2f}%"


def _compact(value: Decimal) -> str:
    """Return a number of the scale in few characters: ``950``, ``1.2k``, ``3M``."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
