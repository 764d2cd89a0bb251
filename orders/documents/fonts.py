"""The two fonts of the documents: which glyph a character has, and how wide text is.

Read from the TrueType files beside this module (see their README), whose tables are described in
the OpenType specification. A document embeds a font whole: what nobody will ever need was left out
when the files were made.
"""

import struct
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "fonts"
CAP_HEIGHT = 729  # thousandths; these files are of a version that does not say it
MISSING = "\u25a1"  # a box, where the font has no glyph


@dataclass(frozen=True)
class Font:
    """A TrueType font; lengths in thousandths of the font's size, as PDF counts."""

    name: str
    data: bytes
    glyphs: dict[int, int]  # by code point
    widths: tuple[int, ...]  # by glyph
    ascent: int
    descent: int
    box: tuple[int, ...]

    @cached_property
    def characters(self) -> dict[int, str]:
        """Return which character each glyph stands for, so that text can be copied and searched."""
        return {glyph: chr(code) for code, glyph in reversed(self.glyphs.items())}

    def printable(self, text: str) -> str:
        """Return the text in characters that the font has; `MISSING` for those that it lacks.

        Accents are joined to their letters. What has no shape, as a mark of direction or a control
        character, is left out: it can do nothing here.
        """
        found = []
        for character in unicodedata.normalize("NFC", text):
            if unicodedata.category(character) in ("Cc", "Cf"):
                continue
            if ord(character) in self.glyphs:
                found.append(character)
            else:
                plain = unicodedata.normalize("NFKC", character)  # a full-width A is an A
                found.append(plain if all(ord(each) in self.glyphs for each in plain) else MISSING)
        return "".join(found)

    def width(self, text: str, size: float) -> float:
        """Return how wide printable text is, in the unit of ``size``."""
        return sum(self.widths[self.glyphs[ord(each)]] for each in text) * size / 1000

    def encoded(self, text: str) -> str:
        """Return printable text as PDF's hexadecimal string of glyphs."""
        return f"<{''.join(f'{self.glyphs[ord(each)]:04x}' for each in text)}>"


@cache
def font(bold: bool = False) -> Font:
    """Return a font of the documents; read once a process."""
    name = "DejaVuSansCondensed" + ("-Bold" if bold else "")
    data = (FOLDER / f"{name}.ttf").read_bytes()
    tables = _tables(data)
    head, hhea = tables["head"], tables["hhea"]
    (units,) = struct.unpack_from(">H", head, 18)

    def scaled(table: bytes, offset: int, count: int = 1) -> tuple[int, ...]:
        found = struct.unpack_from(f">{count}h", table, offset)
        return tuple(round(each * 1000 / units) for each in found)

    return Font(
        name=name,
        data=data,
        glyphs=_character_map(tables["cmap"]),
        widths=_widths(hhea, tables["hmtx"], tables["maxp"], units),
        ascent=scaled(hhea, 4)[0],
        descent=scaled(hhea, 6)[0],
        box=scaled(head, 36, 4),
    )


def _tables(data: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">H", data, 4)
    found = {}
    for index in range(count):
        tag, _, start, length = struct.unpack_from(">4sLLL", data, 12 + 16 * index)
        found[tag.decode()] = data[start : start + length]
    return found


def _widths(hhea: bytes, hmtx: bytes, maxp: bytes, units: int) -> tuple[int, ...]:
    """Return the glyphs' widths; those past the last that is listed are as wide as that one."""
    (listed,) = struct.unpack_from(">H", hhea, 34)
    (count,) = struct.unpack_from(">H", maxp, 4)
    widths = [struct.unpack_from(">H", hmtx, 4 * glyph)[0] for glyph in range(listed)]
    widths += widths[-1:] * (count - listed)
    return tuple(round(width * 1000 / units) for width in widths)


def _character_map(cmap: bytes) -> dict[int, int]:
    """Return the glyphs by code point, from the subtable of format 4: the first 65,536 of them."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    starts = [struct.unpack_from(">HHL", cmap, 4 + 8 * index)[2] for index in range(count)]
    table = next(cmap[at:] for at in starts if struct.unpack_from(">H", cmap, at)[0] == 4)
    (double,) = struct.unpack_from(">H", table, 6)
    segments = double // 2
    ends = struct.unpack_from(f">{segments}H", table, 14)
    firsts, deltas, offsets = (
        struct.unpack_from(f">{segments}H", table, 16 + double * nth) for nth in (1, 2, 3)
    )
    glyphs = {}
    for index, (first, end) in enumerate(zip(firsts, ends, strict=True)):
        for code in range(first, end + 1):
            if offsets[index] == 0:
                glyph = (code + deltas[index]) % 0x10000
            else:  # from where the offset itself stands
                at = 16 + double * 3 + 2 * index + offsets[index] + 2 * (code - first)
                (glyph,) = struct.unpack_from(">H", table, at)
                glyph = (glyph + deltas[index]) % 0x10000 if glyph else 0
            if glyph:
                glyphs[code] = glyph
    return glyphs
