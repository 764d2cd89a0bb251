"""What an order may say: lengths, ranges and characters, the same at every door.

Each door words a fault in its own way; what is one stands here alone.
"""

import re
from decimal import Decimal

# Characters.
NAME_LENGTH = 200
EMAIL_LENGTH = 254
ADDRESS_LENGTH = 500
CITY_LENGTH = 100
ZIP_CODE_LENGTH = 20
PRODUCT_ID_LENGTH = 100
NOTE_LENGTH = 2000
REASON_LENGTH = 500  # of a change, as the API takes it; kept as a note
REFERENCE_LENGTH = 100  # the API's userId

MAX_LINES = 100
MAX_QUANTITY = 1_000_000  # pieces, of a line as a customer sends it
# Pieces in one order, whose lines may have been merged: the sums that the tables must hold.
MAX_PIECES = MAX_LINES * MAX_QUANTITY
MAX_PRICE = Decimal("9999999.99")  # for one piece

# Classes of characters, as all kinds of regular expressions write them: the API's description has
# them, too.
CONTROL = r"\x00-\x1f\x7f-\x9f"
SPACES = r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # what trimming takes away
# What is not seen: spaces that are none, marks of direction, private use. `str.isprintable` asks
# the Unicode of one Python, and what one server takes another would refuse.
UNPRINTABLE = (
    r"\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u3000\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
)
_CONTROL = re.compile(f"[{CONTROL}]")
_NO_PRODUCT_ID = re.compile(rf"\.{{1,2}}|.*[{CONTROL}{UNPRINTABLE}\ud800-\udfff/\\].*", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


class PriceFault(ValueError):
    """No price; ``code`` is ``invalid``, ``out_of_range`` or ``max_decimal_places``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def has_control_characters(text: str) -> bool:
    """Tell whether the text holds what is neither seen nor kept, as a line's end or a NUL."""
    return bool(_CONTROL.search(text))


def is_product_id(text: str) -> bool:
    """Tell whether a trimmed text can be printed, and named in a URL as it is."""
    return not _NO_PRODUCT_ID.fullmatch(text)


def price(value: str | int | Decimal) -> Decimal:
    """Return the price of one piece with exactly two decimals; raise `PriceFault`."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise PriceFault("invalid")
    amount = Decimal(value)
    if not 0 <= amount <= MAX_PRICE:
        raise PriceFault("out_of_range")
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -2:
        raise PriceFault("max_decimal_places")
    return abs(amount).quantize(Decimal("0.01"))
