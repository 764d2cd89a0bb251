"""One malformed request, as it goes over the wire, and what must become of it."""

from dataclasses import dataclass
from enum import Enum, auto

Headers = tuple[tuple[str, str], ...]

JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)
HOST = "127.0.0.1"


class Must(Enum):
    """What a request must get."""

    BE_REFUSED = auto()  # a 4xx of the service
    BE_ANSWERED = auto()  # what is odd may be ignored, as by HTTP, or shown once more, as a form is
    BE_NO_HTTP = auto()  # the web server may refuse it before the service has seen it


@dataclass(frozen=True, slots=True)
class Site:
    """What the requests name: a manager's key, and a PENDING order."""

    key: str
    order: str

    @property
    def staff(self) -> Headers:
        """The credential of a manager."""
        return (("Authorization", f"Api-Key {self.key}"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A malformed request; ``raw`` is all of it where even its framing is odd.

    Text goes over the wire in latin-1, so that any byte can be written.
    """

    kind: str
    what: str
    method: str = "GET"
    target: str = "/api/orders"
    headers: Headers = ()
    body: bytes = b""
    must: Must = Must.BE_REFUSED
    raw: bytes | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}: {self.method} {self.target[:200]}"

    @property
    def path(self) -> str:
        """The target without its query string."""
        return self.target.partition("?")[0]

    def wire(self) -> bytes:
        """Return the request as it is sent."""
        if self.raw is not None:
            return self.raw
        names = {name.lower() for name, _ in self.headers}
        headers = [*self.headers, ("Connection", "close")]
        if "host" not in names:
            headers.insert(0, ("Host", HOST))
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body
