"""SECURITY.md and the tests: every row is shown by a test, and every test here shows a row."""

import re
from pathlib import Path

from tests.processes import ROOT

HERE = Path(__file__).parent


def rows() -> dict[str, str]:
    """Return what each row of the table names, by its area."""
    table = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "SECURITY.md").read_text(), re.M
    )
    return {area: shown for area, shown in table if area != "area"}


def named() -> set[tuple[str, str]]:
    return set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", " ".join(rows().values())))


def _tests_of(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)\(", path.read_text(), re.M))


def test_every_row_names_tests_that_exist() -> None:
    assert len(rows()) > 25
    for area, shown in rows().items():
        assert "::test_" in shown, area
    missing = {
        (file, test) for file, test in named() if test not in _tests_of(ROOT / "tests" / file)
    }
    assert missing == set()


def test_every_test_of_the_table_is_named_in_it() -> None:
    files = [path for path in HERE.glob("test_*.py") if path != Path(__file__)]
    ours = {(f"security/{path.name}", test) for path in files for test in _tests_of(path)}
    assert ours - named() == set()
    assert len(ours) > 40


def test_every_test_is_named_after_its_row() -> None:
    for area, shown in rows().items():
        first_word = re.split(r"\W", area.lower())[0]
        for test in re.findall(r"security/\w+\.py::test_(\w+)", shown):
            assert test.startswith(first_word), (area, test)
