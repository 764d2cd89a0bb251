"""The fonts: what they have, and that a reader is told the same."""

import pytest

from orders.documents.barcode import _SYMBOLS, bars, modules, symbols
from orders.documents.fonts import FOLDER, MISSING, font

ALPHABETS = [
    range(0x20, 0x7F),
    range(0xA0, 0x180),  # Latin-1 and Extended-A
    range(0x0400, 0x0460),  # Cyrillic
    range(0x1EA0, 0x1EFA),  # Vietnamese
    [ord(each) for each in "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίόύώϊϋΐΰ"],
    [ord(each) for each in f"–—‘’“”…•€£¥₴₺№−{MISSING}"],  # noqa: RUF001
]


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_fonts_have_every_letter_of_the_alphabets(bold: bool, alphabet: range | list[int]) -> None:
    assert [hex(code) for code in alphabet if code not in font(bold).glyphs] == []


@pytest.mark.parametrize("bold", [False, True])
def test_fonts_give_every_glyph_a_width(bold: bool) -> None:
    face = font(bold)
    assert max(face.glyphs.values()) < len(face.widths)
    assert 300 < face.widths[face.glyphs[ord("n")]] < 700
    assert face.width("", 10) == 0


def test_fonts_come_with_their_licence() -> None:
    licence = (FOLDER / "LICENSE").read_text()
    assert "Bitstream Vera" in licence
    assert "Tavmjong Bah" in licence


def test_barcode_symbols_are_those_of_the_standard() -> None:
    assert len(_SYMBOLS) == len(set(_SYMBOLS)) == 106
    for each in _SYMBOLS:
        widths = [int(width) for width in each]
        assert (len(widths), sum(widths)) == (6, 11)
        assert sum(widths[::2]) % 2 == 0  # bars are even: how scanners tell a misread
    # "Wikipedia" in code set B: its check symbol is 88, as published.
    assert symbols("Wikipedia") == [104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88]


def test_barcode_is_as_wide_as_it_says() -> None:
    begin, width = list(bars("100042"))[-1]
    assert begin + width == modules("100042") == 11 * 8 + 13
