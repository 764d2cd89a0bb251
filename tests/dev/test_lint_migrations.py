"""`make lint` refuses a migration that the code before it would not survive."""

import tomllib

import pytest

from orderservice.dev.lint_migrations import lint
from tests.processes import ROOT

pytestmark = pytest.mark.usefixtures("committed_db")  # not in a transaction, as in `make lint`

RENAMES = "0008_batches_of_every_verb"  # a table; nothing had been released by then


@pytest.fixture
def released() -> dict[str, str]:
    """What is released, but of our own migrations only those before the one that renames."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["migrations"]
    return {**rules["released"], "orders": "0007_holds_and_amendments"}


def test_migration_that_old_code_does_not_survive_is_refused_unless_there_is_a_reason(
    released: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    new, refused = lint(released, {})

    said = capsys.readouterr().out
    assert f"(orders, {RENAMES})... ERR\n\tRENAMING tables" in said
    assert "(orders, 0016_stock_on_its_way_back)... OK" in said

    assert lint(released, {f"orders.{RENAMES}": "nobody had it yet"}) == (new, refused - 1)
    assert f"(orders, {RENAMES})... accepted: nobody had it yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "accepted"),
    [
        ({"orders": "0099_never_written"}, {}),
        ({}, {"orders.0099_never_written": "a slip of the pen"}),
        ({}, {"orders.0001_initial": "released by now"}),
    ],
)
def test_name_that_there_is_not_is_refused(
    released: dict[str, str], more: dict[str, str], accepted: dict[str, str]
) -> None:
    with pytest.raises(LookupError, match=r"0099_never_written|0001_initial"):
        lint(released | more, accepted)
