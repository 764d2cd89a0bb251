"""The arithmetic of the charts."""

from decimal import Decimal

import pytest

from orders.admin.dashboard.charts import ceiling, chart


@pytest.mark.parametrize(
    ("most", "top"),
    [
        *((0, 2), (1, 2), (2, 2), (3, 4), (7, 8), (9, 10), (11, 20), (20, 20), (21, 30)),
        *((101, 150), (1000, 1000), (1001, 1500), (2400, 2500), (999_999, 1_000_000)),
    ],
)
def test_ceiling_of_a_count_is_round_and_even(most: int, top: int) -> None:
    assert ceiling(Decimal(most), whole=True) == top


@pytest.mark.parametrize(
    ("most", "top"), [("0", "1"), ("0.40", "1"), ("1.01", "1.5"), ("2.10", "2.5"), ("4.99", "5")]
)
def test_ceiling_of_an_amount_is_round(most: str, top: str) -> None:
    assert ceiling(Decimal(most), whole=False) == Decimal(top)


def test_chart_stacks_and_places_its_columns() -> None:
    drawn = chart([[("kept", 5), ("cancelled", 2)], [("kept", 10), ("cancelled", 0)]], ["a", "b"])
    first, second = drawn.columns
    assert (first.left, first.width, first.centre, first.told) == ("0.00%", "50.00%", "25.00%", "a")
    assert [(bar.kind, bar.y, bar.height) for bar in first.bars] == [
        ("kept", "50.00%", "50.00%"),
        ("cancelled", "30.00%", "20.00%"),
    ]
    assert (second.left, second.top) == ("50.00%", "0.00%")
    assert drawn.scale == ["10", "5", "0"]
    assert drawn.line == "25.00,30.00 75.00,0.00"
    assert drawn.area == "25.00,100 25.00,30.00 75.00,0.00 75.00,100"


def test_chart_of_nothing_is_flat() -> None:
    assert chart([[("kept", 0)]], ["a"]).columns[0].top == "100.00%"
    assert chart([], []).area == ""


@pytest.mark.parametrize(
    ("most", "scale"),
    [(0, "2"), (900, "1k"), (2400, "2.5k"), (1_900_000, "2M"), (4_000_000_000, "4G")],
)
def test_scale_is_short(most: int, scale: str) -> None:
    assert chart([[("kept", most)]], ["a"]).scale[0] == scale
