"""PDF as bytes: pages of text, rules and boxes; the structure of the file is pydyf's.

Lengths are points, 72 to the inch; a place is counted from the page's upper left corner, and a
text's is the left end of its base line. Names of things are those of ISO 32000.
"""

import zlib
from functools import cache
from io import BytesIO

import pydyf

from orders.documents.fonts import CAP_HEIGHT, Font, font

A4 = (595.28, 841.89)


class Page:
    """A page that is being drawn."""

    def __init__(self) -> None:
        self._stream = pydyf.Stream()

    def text(self, x: float, y: float, text: str, *, size: float, bold: bool = False) -> None:
        """Write printable text (see `Font.printable`)."""
        stream = self._stream
        stream.begin_text()
        stream.set_font_size("B" if bold else "R", size)
        stream.set_text_matrix(1, 0, 0, 1, x, A4[1] - y)
        stream.show_text(font(bold).encoded(text))
        stream.end_text()

    def rule(self, x: float, y: float, width: float, *, thickness: float = 0.5) -> None:
        """Draw a horizontal line."""
        self.bar(x, y - thickness / 2, width, thickness)

    def bar(self, x: float, y: float, width: float, height: float) -> None:
        """Fill a rectangle."""
        self._stream.rectangle(x, A4[1] - y - height, width, height)
        self._stream.fill()

    def box(self, x: float, y: float, width: float, height: float, thickness: float) -> None:
        """Draw the outline of a rectangle."""
        self._stream.set_line_width(thickness)
        self._stream.rectangle(x, A4[1] - y - height, width, height)
        self._stream.stroke()

    def shade(self, grey: float) -> None:
        """Draw what follows in a shade of grey: 0 is black, 1 is white."""
        self._stream.set_color_rgb(grey, grey, grey)

    def finished(self) -> pydyf.Stream:
        """Return what was drawn, compressed at once: a file may have thousands of pages."""
        parts = (part if isinstance(part, bytes) else part.encode() for part in self._stream.stream)
        return _compressed(b"\n".join(parts))


class File:
    """A PDF file that grows page by page."""

    def __init__(self, title: str, author: str) -> None:
        self._pdf = pydyf.PDF()
        self._pdf.info["Title"] = pydyf.String(title)
        self._pdf.info["Author"] = pydyf.String(author)
        self._pdf.catalog["Lang"] = pydyf.String("en")
        fonts = pydyf.Dictionary(
            {"R": self._embedded(bold=False).reference, "B": self._embedded(bold=True).reference}
        )
        self._resources = self._added(pydyf.Dictionary({"Font": fonts}))

    def add(self, page: Page) -> None:
        """Add a page that is drawn."""
        self._pdf.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": self._pdf.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, *A4]),
                    "Contents": self._added(page.finished()).reference,
                    "Resources": self._resources.reference,
                }
            )
        )

    def written(self) -> bytes:
        """Return the whole file."""
        output = BytesIO()
        self._pdf.write(output, version=b"1.7", compress=True)
        return output.getvalue()

    def _added(self, each: pydyf.Object) -> pydyf.Object:
        self._pdf.add_object(each)
        return each

    def _embedded(self, *, bold: bool) -> pydyf.Object:
        """Add a font with all that a reader needs to draw, copy and search its text."""
        face = font(bold)
        program, to_unicode = _programs(bold)
        descriptor = pydyf.Dictionary(
            {
                "Type": "/FontDescriptor",
                "FontName": f"/{face.name}",
                "Flags": 32,  # not symbolic
                "FontBBox": pydyf.Array(face.box),
                "ItalicAngle": 0,
                "Ascent": face.ascent,
                "Descent": face.descent,
                "CapHeight": CAP_HEIGHT,
                "StemV": 80,
                "FontFile2": self._added(_copy(program)).reference,
            }
        )
        descendant = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/CIDFontType2",
                "BaseFont": f"/{face.name}",
                "CIDSystemInfo": pydyf.Dictionary(
                    {
                        "Registry": pydyf.String("Adobe"),
                        "Ordering": pydyf.String("Identity"),
                        "Supplement": 0,
                    }
                ),
                "FontDescriptor": self._added(descriptor).reference,
                "CIDToGIDMap": "/Identity",
                "W": pydyf.Array([0, pydyf.Array(face.widths)]),
            }
        )
        return self._added(
            pydyf.Dictionary(
                {
                    "Type": "/Font",
                    "Subtype": "/Type0",
                    "BaseFont": f"/{face.name}",
                    "Encoding": "/Identity-H",
                    "DescendantFonts": pydyf.Array([self._added(descendant).reference]),
                    "ToUnicode": self._added(_copy(to_unicode)).reference,
                }
            )
        )


def _compressed(data: bytes, **extra: object) -> pydyf.Stream:
    return pydyf.Stream([zlib.compress(data)], {"Filter": "/FlateDecode"} | extra)


def _copy(stream: pydyf.Stream) -> pydyf.Stream:
    """Return the stream for another file: each file numbers its objects itself."""
    return pydyf.Stream(stream.stream, stream.extra)


@cache
def _programs(bold: bool) -> tuple[pydyf.Stream, pydyf.Stream]:
    """Return a font's file and its map to Unicode, compressed once a process."""
    face = font(bold)
    return (
        _compressed(face.data, Length1=len(face.data)),
        _compressed(_to_unicode(face).encode("ascii")),
    )


def _to_unicode(face: Font) -> str:
    """Return the CMap that says which character each glyph is, 100 a block as it must be."""
    pairs = [f"<{glyph:04x}> <{ord(each):04x}>" for glyph, each in sorted(face.characters.items())]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <ffff> endcodespacerange",
            *("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]) for block in blocks),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )
