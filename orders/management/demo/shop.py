"""Who buys what in the demo shop: customers who come again, and products of unequal fame.

Everything is drawn from one generator, so that a seed makes the same shop again.
"""

import random
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

# What the inventory sandbox has in stock, and what it costs.
PRICES = {
    "1": Decimal("12.50"),
    "2": Decimal("34.00"),
    "3": Decimal("249.90"),
    "5": Decimal("3.20"),
    "7": Decimal("18.75"),
    "9": Decimal("59.00"),
    "10": Decimal("50.00"),
    "11": Decimal("1.10"),
    "13": Decimal("27.40"),
    "16": Decimal("84.95"),
    "17": Decimal("0.45"),
    "20": Decimal("9.99"),
}


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


FIRST_NAMES = _words(
    "Anna Maria James Olivia Noah Emma Liam Sofia Lucas Mia Amara Jonas Priya David Yuki Tom Lena"
    " Samuel Chloé Marek Sok Wei Fatima José Ingrid Kwame Aisha Mateo Hana Pavel Zoë Björn Thuy"
    " Omar Leila Ravi Grace Nikos Élodie Tariq Bronwyn Sanna Dmitri Ngozi Ximena"
)
LAST_NAMES = _words(
    "Smith Johnson García Müller Nguyen Brown Silva Kim Martin Okafor Lindqvist Raman Cohen Tanaka"
    " Hughes Hofmann Adeyemi Novák Dara Chen Hassan Fernández Berg Mensah Khan Rossi Sato Ivanova"
    " O'Connor Larsen Pham Haddad Papadopoulos Moreau Sharma Walker Kowalska Dubois Andersson"
    " Mbeki Takahashi Vasquez Petrov Eriksen Ó'Briain Zhang Yılmaz Castellanos Wickramasinghe"  # noqa: RUF001
    " Featherstonehaugh"
)
STREETS = _words(
    "Main Street,High Street,Station Road,Church Lane,Park Avenue,Rue des Lilas,Gartenweg,"
    "Calle Mayor,Storgatan,Vinohradská,Norodom Blvd,Marina Road,King Street,Anna Salai",
    ",",
)
CITIES = _words(
    "London,Paris,Berlin,New York,Tokyo,Madrid,Toronto,Lagos,Stockholm,Praha,Phnom Penh,Chennai,"
    "Kraków,Haifa,Bristol,Lyon,Zaragoza,Freiburg,Uppsala,Springfield,São Paulo,Nairobi,Osaka,Leeds,"
    "Porto,Gdańsk,Accra,Hội An,Reykjavík,Ushuaia",
    ",",
)
DOMAINS = _words("example.com example.org example.net mail.example post.example shop.example")
KINDS = ("MUG", "TEE", "LAMP", "BOOK", "SOAP", "RUG", "PEN", "BAG", "TOY", "CUP")
_WIDE = 1 << 32


@dataclass(frozen=True, slots=True)
class Customer:
    """Who an order is for, and where it goes."""

    name: str
    email: str
    address: str
    city: str
    zip_code: str


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of a product; the price in cents."""

    product_id: str
    quantity: int
    cents: int


class Shop:
    """Draws what is bought; a few customers and products make most of the trade."""

    def __init__(self, orders: int, rng: random.Random) -> None:
        self._rng = rng
        self._customers = max(1, orders // 3)
        self._catalogue = [(name, int(price * 100)) for name, price in PRICES.items()]
        for serial in range(min(2_000, max(20, orders // 20))):
            kind = KINDS[serial % len(KINDS)]
            self._catalogue.append((f"{kind}-{serial:04}", rng.randrange(95, 19_995, 5)))

    def customer(self) -> Customer:
        """Draw a customer; an early one comes more often than a late one."""
        return _customer(int(self._customers * self._rng.random() ** 2))

    def lines(self) -> list[Line]:
        """Draw the lines of an order, each of another product, most often one or two."""
        chance = self._rng.random
        lines: dict[str, Line] = {}
        for _ in range(1 + int(8 * chance() ** 4) + (chance() < 0.4)):
            product_id, cents = self._catalogue[int(len(self._catalogue) * chance() ** 3)]
            lines[product_id] = Line(product_id, 1 + int(12 * chance() ** 8), cents)
        return list(lines.values())


@cache
def _plain(name: str) -> str:
    """Return a name as it stands in an e-mail address."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha()) or "x"


def _customer(serial: int) -> Customer:
    """Return the customer with a serial number, always the same."""
    # One multiplication spreads the serials (Knuth, 6.4); its digits then stand for each choice.
    spread = serial * 2_654_435_761 % _WIDE
    first = FIRST_NAMES[spread % len(FIRST_NAMES)]
    skewed = (spread / _WIDE) ** 2
    last = LAST_NAMES[int(len(LAST_NAMES) * skewed)]
    city = CITIES[int(len(CITIES) * (spread // 7 % 997 / 997) ** 2)]
    return Customer(
        name=f"{first} {last}",
        email=f"{_plain(first)}.{_plain(last)}{serial}@{DOMAINS[spread // 11 % len(DOMAINS)]}",
        address=f"{1 + spread % 240} {STREETS[spread // 13 % len(STREETS)]}",
        city=city,
        zip_code=f"{10_000 + spread // 17 % 89_999}",
    )
