"""Paths that lead nowhere, query strings of the list, and methods that no call has."""

import random
from collections.abc import Iterator

from tests.malformed.case import JSON, Case, Must, Site

UUID = "00000000-0000-4000-8000-000000000000"
NO_IDS = ["0", "1", "-1", "null", "undefined", "NaN", "true", "*", "x", "..", ".", "%2e%2e"]
NO_IDS += ["%2E", "~", "%00", f"{UUID}%00", f"%00{UUID}", f"{UUID}%20", f"%20{UUID}"]
NO_IDS += [f"{UUID}%0a", f"{UUID}%2F", UUID.replace("-", ""), f"%7B{UUID}%7D", f"urn:uuid:{UUID}"]
NO_IDS += [f"uuid:{UUID}", UUID[:-1], f"{UUID}0", UUID.replace("0", "g")]
NO_IDS += [UUID.replace("-", "%2D") + "x", UUID.replace("-", "_"), "%d9%a3" * 8, "%ff", "%ff%fe"]
NO_IDS += ["%c0%af", "%ed%a0%80", "%", "%zz", "%u0041", "%25", "%252e", "%5c", "\\", "'", "%22"]
NO_IDS += ["%27%20OR%201=1--", "<script>", "${7*7}", "{{7*7}}", "x" * 100, "x" * 1000, "x" * 3900]
NO_IDS += ["%41" * 1200, "%F0%9F%98%80", "a;b=c", "a,b", "a:b", "@", "%3f", "%23", "a%3Fb"]
NO_IDS += ["%0d%0aX-Y:%20z", "|", "^", "`", "[]", "[x]", "9" * 400, "1e400", "0x1"]
NO_PATHS = ["/api", "/api/", "/api//", "/api//orders", "/api/orders//", "/api/order"]
NO_PATHS += ["/api/ORDERS", "/api/orders/x/y", "/api/orders/x/y/z", "/api/orders/x/status/y"]
NO_PATHS += ["/api/../admin/", "/api/.", "/api/./orders", "/api/%2e%2e/admin/", "/api%2Forders"]
NO_PATHS += ["/%61pi/x", "/api/orders%00", "/api/%00", "/api/auth", "/api/auth/token/x"]
NO_PATHS += ["/api/auth/token/refresh/x", "/api/schema/x", "/api/docs/x", "/api/orders.json"]
NO_PATHS += ["/api/orders;x", "/api/%ff", "/api/%", "/api/" + "x" * 3900, "/api/" + "/" * 1000]
NO_PATHS += ["/api/" + "../" * 1000, "/api/\\..\\", "/api/v1/orders", "/api/graphql"]
OTHER_PATHS = ["/", "//", "/.", "/..", "/.env", "/.git/config", "/%00", "/%ff", "/%"]
OTHER_PATHS += ["/static/%00", "/x", "/static/../manage.py", "/static/%2e%2e/manage.py"]
OTHER_PATHS += ["/static/%2e%2e%2fmanage.py", "/static/", "/static/%ff", "/static//etc/passwd"]
OTHER_PATHS += ["/static/" + "x" * 3900, "/static/\\..\\x", "/health/x", "/admin/%00"]
OTHER_PATHS += ["/admin/%ff", "/admin/x", "/admin/orders/order/%00/change/", "/admin//"]
OTHER_PATHS += ["/admin/login/%00", "/admin/login/?next=%00", "/admin/?%00=%ff", "/metrics"]
OTHER_PATHS += ["/track/%00%00", "/admin/login/?next=//evil.example"]
OTHER_PATHS += ["/admin/login/?next=http://[", "/admin/login/?next=%ff", "/admin/jsi18n/%00"]
OTHER_PATHS += ["/admin/orders/order/9999999999999999999999/change/", "/health?%00"]
OTHER_PATHS += ["//evil.example/", "//evil.example/%2e%2e", "/admin", "/\\evil.example"]
OTHER_PATHS += ["/admin\\", "/;"]
COUNTS = ["0", "-1", "+1", "abc", "1.5", "1e3", "", "%00", "%ff", "%D9%A3", "0x1", "1,2", "null"]
COUNTS += [f"{2**63}", f"{2**64}", "9" * 18, "9" * 400, "1%20", "%201", "[]", "NaN", "Infinity"]
COUNTS += ["1_0"]
MOMENTS = ["x", "", "2026", "2026-13-01", "2026-02-30", "2026-W60", "26-01-01"]
MOMENTS += ["2026-01-01T25:00", "now", "0000-00-00", "10000-01-01", "-1", "%00", "%ff", "1e9"]
MOMENTS += ["2026-01-01T00:00:00%2B99:99", "9" * 400]
AMOUNTS = ["x", "", "-1", "1.001", "1e3", "NaN", "Infinity", "%00", "%ff", "1,00", ".5", "1."]
AMOUNTS += ["9" * 400, "%D9%A3"]
WORDS = ["x", "", "%00", "%ff", "pending", "PENDING%00", "PENDING,CONFIRMED", "9" * 400]
WORDS += ["%F0%9F%98%80"]
TEXTS = ["", "%20", "%00", "a%00b", "%0a", "a%0db", "%7f", "%C2%85", "x" * 1000, "x" * 3000]
QUERIES = {
    "page": [*COUNTS, "1000000001"],
    "limit": [*COUNTS, "101", "1000"],
    "createdFrom": MOMENTS,
    "createdTo": MOMENTS,
    "minTotal": AMOUNTS,
    "maxTotal": AMOUNTS,
    "status": WORDS,
    "stock": WORDS,
    "sort": [
        *WORDS,
        "--number",
        "id",
        "number%20desc",
        "number;--",
        "%2Bnumber",
        "owner__password",
    ],
    "q": TEXTS,
    "email": TEXTS,
    "productId": TEXTS,
    "userId": TEXTS,
    "cursor": [
        *TEXTS,
        "x",
        "-1",
        "9" * 60,
        "a.b",
        "%FF%FE",
        "null",
        "1e400",
        "NaN",
        "-",
        ".",
        "1.2.3.4",
    ],
}
NO_NAMES = ["x", "format", "Page", "page[]", "page[0]", "%00", "%ff", "__class__"]
NO_NAMES += ["status__exact", "owner__password__startswith", "order_by", "%F0%9F%98%80", "offset"]
NO_NAMES += ["callback", "_method"]
METHODS = ["PUT", "DELETE", "PATCH", "POST", "GET", "TRACE", "PROPFIND", "LINK", "LOCK", "REPORT"]
METHODS += ["QUERY", "FOO-BAR", "M-SEARCH", "XXX", "BREW", "GETT", "POSTS", "DEBUG", "PURGE"]
METHODS += ["SEARCH", "COPY"]


def cases(chance: random.Random, site: Site) -> Iterator[Case]:
    """Yield requests for what there is not."""
    yield from _ids(site)
    for path in NO_PATHS:
        for method in ("GET", "POST"):
            body = b"{}" if method == "POST" else b""
            yield Case(
                kind="path: no call", what="", method=method, target=path, headers=JSON, body=body
            )
    for path in OTHER_PATHS:
        yield Case(kind="path: elsewhere", what="", target=path, must=Must.BE_ANSWERED)
    yield from _queries(chance, site)
    yield from _methods(site)


def _ids(site: Site) -> Iterator[Case]:
    for order in NO_IDS:
        for tail in ("", "/", "/events", "/status"):
            is_status = tail == "/status"
            yield Case(
                kind="path: no id",
                what="",
                method="PATCH" if is_status else "GET",
                target=f"/api/orders/{order}{tail}",
                headers=(*JSON, *site.staff),
                body=b'{"status":"CANCELLED"}' if is_status else b"",
            )
        # One step back from here, or none at all, is another page.
        leads_on = order in (".", "..", "%2e%2e", "%2E") or "?" in order or "#" in order
        must = Must.BE_ANSWERED if leads_on else Must.BE_REFUSED
        yield Case(kind="path: /track", what="", target=f"/track/{order}", must=must)


def _queries(chance: random.Random, site: Site) -> Iterator[Case]:
    queries = [f"{name}={value}" for name, values in QUERIES.items() for value in values]
    queries += [f"{name}=1" for name in NO_NAMES]
    queries += [f"{name}=1&{name}=1" for name in ("page", "limit", "minTotal", "q")]
    queries += [
        "page=1&cursor=1",
        "a&" * 1001,
        "x=1&" * 900,
        "%00",
        "%ff=%ff",
        "page",
        "limit&page",
    ]
    queries += [f"limit=0&page=0&sort=x&status={n}" for n in range(10)]
    for _ in range(100):
        names = chance.sample(list(QUERIES), chance.randint(2, 5))
        queries.append("&".join(f"{name}={chance.choice(QUERIES[name])}" for name in names))
    for query in queries:
        target = f"/api/orders?{query}"
        yield Case(kind="query string", what="", target=target, headers=site.staff)


def _methods(site: Site) -> Iterator[Case]:
    allowed = {
        "/api/orders": "GET POST",
        f"/api/orders/{site.order}": "GET",
        f"/api/orders/{site.order}/status": "PATCH",
        f"/api/orders/{site.order}/events": "GET",
        "/api/auth/token": "POST",
        "/api/auth/token/refresh": "POST",
        "/api/schema": "GET",
        "/api/docs": "GET",
        "/api/nowhere": "",
        f"/track/{UUID}": "",
    }
    for target, good in allowed.items():
        for method in METHODS:
            if method not in good.split():
                body = b'{"status":"CANCELLED"}' if method in ("PUT", "PATCH", "POST") else b""
                headers = (*JSON, *site.staff)
                yield Case(
                    kind="method", what="", method=method, target=target, headers=headers, body=body
                )
        for method in ("HEAD", "OPTIONS"):
            yield Case(kind="method", what="", method=method, target=target, must=Must.BE_ANSWERED)
    for target in ("/health", "/admin/", "/admin/login/", "/static/x", "/"):
        for method in METHODS:
            yield Case(kind="method", what="", method=method, target=target, must=Must.BE_ANSWERED)
