"""How text flows: lines within a width, rows under a table's head, and on to the next page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orders.documents.fonts import MISSING, font
from orders.documents.pdf import A4, File, Page

MARGIN = 56.7  # 20 mm: also within what a US Letter sheet shows of the width
LEFT, RIGHT = MARGIN, A4[0] - MARGIN
WIDTH = RIGHT - LEFT
TOP, BOTTOM = 50.0, A4[1] - 70.0
LEADING = 1.35  # from one base line to the next, in sizes
SMALL, NORMAL, LARGE = 8.0, 10.0, 17.0
PALE = 0.75  # of grey


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; its cells stand left, right, or are boxes to tick."""

    title: str
    width: float
    right: bool = False
    tick: bool = False


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Return the text in lines that fit the width; what has no blank breaks where it must."""
    face = font(bold)
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in face.printable(" ".join(paragraph.split())).split():
            longer = f"{line} {word}" if line else word
            if face.width(longer, size) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            *whole, line = _broken(word, width, size, bold=bold)
            lines += whole
        lines.append(line)
    return lines


def _broken(word: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    """Yield a word in pieces that fit the width, at least a character each."""
    face = font(bold)
    start, used = 0, 0.0
    for index, character in enumerate(word):
        wide = face.width(character, size)
        if used + wide > width and index > start:
            yield word[start:index]
            start, used = index, 0.0
        used += wide
    yield word[start:]


class Flow:
    """The pages of one order; ``y`` is how far down the last one is filled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pages: list[Page] = []
        self.y = TOP
        self._lacks = False
        self._columns: Sequence[Column] = ()
        self._turn()

    @property
    def page(self) -> Page:
        """The page that is being filled."""
        return self.pages[-1]

    def write(
        self,
        text: str,
        *,
        x: float = LEFT,
        y: float | None = None,
        size: float = NORMAL,
        bold: bool = False,
        right: bool = False,
    ) -> None:
        """Write one line that begins at ``x``, or ends there; at ``y`` unless that is given."""
        face = font(bold)
        shown = face.printable(text)
        self._lacks |= MISSING in shown and MISSING not in text
        start = x - face.width(shown, size) if right else x
        if shown:
            self.page.text(start, self.y if y is None else y, shown, size=size, bold=bold)

    def paragraph(
        self,
        text: str,
        *,
        x: float = LEFT,
        width: float = WIDTH,
        size: float = NORMAL,
        bold: bool = False,
    ) -> None:
        """Write lines one below the other, and go on below them."""
        self._lacks |= MISSING in font(bold).printable(text) and MISSING not in text
        for line in wrapped(text, width, size, bold=bold):
            self.room(size * LEADING)
            self.y += size * LEADING
            self.write(line, x=x, size=size, bold=bold)

    def room(self, height: float) -> None:
        """Go on to a new page when less than the height is left."""
        if self.y + height > BOTTOM:
            self._turn()

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Draw a table; its head stands again on each page that it goes on to."""
        self.room(4 * NORMAL * LEADING)  # no head without a row
        self._columns = columns
        self._head()
        for row in rows:
            self._row(columns, row)
        self._columns = ()

    def finish(self, file: File) -> None:
        """Number the pages, and add them to the file."""
        if self._lacks:
            self.y += SMALL
            note = f"{MISSING} is a character that this document's font lacks; the order has it."
            self.paragraph(note, size=SMALL)
        for number, page in enumerate(self.pages, start=1):
            self._foot(page, f"Page {number} of {len(self.pages)}")
            file.add(page)

    def _turn(self) -> None:
        self.pages.append(Page())
        self.y = TOP
        if len(self.pages) > 1:
            self.write(f"{self.name}, continued", y=TOP, size=SMALL)
            self.y += 2 * SMALL
        if self._columns:
            self._head()

    def _head(self) -> None:
        self.y += NORMAL * LEADING
        for column, x in _places(self._columns):
            self.write(column.title, x=x, bold=True, right=column.right)
        self.y += NORMAL * 0.6
        self.page.rule(LEFT, self.y, WIDTH, thickness=1)

    def _row(self, columns: Sequence[Column], row: Sequence[str]) -> None:
        cells = [
            wrapped(cell, column.width - 8, NORMAL)
            for column, cell in zip(columns, row, strict=True)
        ]
        height = max(map(len, cells)) * NORMAL * LEADING + NORMAL * 0.6
        self.room(height)
        for (column, x), cell, text in zip(_places(columns), cells, row, strict=True):
            if column.tick:
                self.page.box(x, self.y + NORMAL * 0.6, NORMAL, NORMAL, 0.7)
            self._lacks |= MISSING in "".join(cell) and MISSING not in text
            for nth, line in enumerate(cell, start=1):
                at = self.y + nth * NORMAL * LEADING
                self.write(line, x=x, y=at, right=column.right)
        self.y += height
        self.page.shade(PALE)
        self.page.rule(LEFT, self.y, WIDTH)
        self.page.shade(0)

    def _foot(self, page: Page, place: str) -> None:
        y = BOTTOM + 30
        face = font()
        page.text(LEFT, y, face.printable(self.name), size=SMALL)
        page.text(RIGHT - face.width(place, SMALL), y, place, size=SMALL)


def _places(columns: Sequence[Column]) -> Iterator[tuple[Column, float]]:
    """Yield each column with where its text begins, or where it ends when it stands right."""
    x = LEFT
    for column in columns:
        yield column, x + column.width if column.right else x
        x += column.width
