"""An order's number as a barcode: Code 128, which any scanner reads (ISO/IEC 15417)."""

from collections.abc import Iterator

# The widths of each symbol's bars and gaps in turn, from 0 to 105; the end has one bar more.
_SYMBOLS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232
""".split()  # noqa: SIM905 - a table, easier to compare as it is printed
_END = "2331112"
_START_B = 104  # code set B: the printable characters of ASCII, from the blank on


def symbols(text: str) -> list[int]:
    """Return the symbols of a text of printable ASCII: its start, its characters, their check."""
    values = [ord(each) - 32 for each in text]
    check = _START_B + sum(place * value for place, value in enumerate(values, start=1))
    return [_START_B, *values, check % 103]


def bars(text: str) -> Iterator[tuple[int, int]]:
    """Yield each bar of the code: how many modules from the left it begins, and how wide it is."""
    at = 0
    for symbol in (*(_SYMBOLS[value] for value in symbols(text)), _END):
        for place, width in enumerate(map(int, symbol)):
            if place % 2 == 0:
                yield at, width
            at += width


def modules(text: str) -> int:
    """Return how many modules wide the code is, without the blank that it needs at both sides."""
    return 11 * len(symbols(text)) + 13
