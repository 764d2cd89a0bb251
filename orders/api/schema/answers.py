"""The problems that calls are answered with, and the headers: each is described once."""

from collections.abc import Iterator
from typing import Any

from orders.api.schema import examples

Schema = dict[str, Any]

PROBLEM_TYPE = "application/problem+json"
EVERYWHERE = [400, 406, 500, 503]  # of the problems

# The problems by status: a name, and when they are answered.
PROBLEMS = {
    400: ("BadRequest", "The request is malformed, or has an invalid or unknown field."),
    401: ("Unauthorized", "There is no credential where one is needed, or it is not valid."),
    403: ("Forbidden", "You may not do this, though you may see the order."),
    404: ("NotFound", "There is no such order, or none that you may know of."),
    405: ("MethodNotAllowed", "The path has other methods; any path may be answered so."),
    406: ("NotAcceptable", "The request accepts no JSON."),
    409: ("Conflict", "The order's state, its stock or its prices do not allow it."),
    412: ("PreconditionFailed", "The order is no longer the one of the tag in `If-Match`."),
    413: ("ContentTooLarge", "The body is longer than 64 KiB."),
    415: ("UnsupportedMediaType", "The body is not JSON in UTF-8, or it is compressed."),
    422: ("UnprocessableContent", "The idempotency key was used with another payload."),
    429: ("TooManyRequests", "Too many requests, wrong attempts, or open orders of a guest."),
    500: ("InternalServerError", "Something went wrong on our side."),
    503: (
        "ServiceUnavailable",
        "The database, inventory or catalogue can't be asked; nothing changed.",
    ),
}

_TEXT = {"type": "string"}
HEADERS: dict[str, Schema] = {
    "Allow": {"description": "The methods that there are.", "schema": _TEXT},
    "Cache-Control": {"description": "Who may keep the answer.", "schema": _TEXT},
    "ETag": {
        "description": "The tag of the order as it is shown.",
        "schema": {"type": "string", "pattern": r'^"[0-9]+-[0-9]+"$'},
    },
    "Idempotency-Replayed": {
        "description": "The order was created by an earlier request.",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {
        "description": 'Where the next page is: `<…>; rel="next"` (RFC 8288).',
        "schema": {"type": "string", "pattern": r'^<[^>]+>; rel="next"$'},
    },
    "Location": {
        "description": "The order's path.",
        "schema": {"type": "string", "pattern": r"^/api/orders/[0-9a-f-]{36}$"},
    },
    "RateLimit": {
        "description": 'What is left: `"scope";r=requests;t=seconds until all are there again`.',
        "schema": {"type": "string", "pattern": r'^"[a-z]+";r=[0-9]+;t=[0-9]+$'},
    },
    "RateLimit-Policy": {
        "description": 'The rate: `"scope";q=requests;w=within so many seconds`.',
        "schema": {"type": "string", "pattern": r'^"[a-z]+";q=[0-9]+;w=[0-9]+$'},
    },
    "Referrer-Policy": {
        "description": "Pages that are opened from here do not learn of an order's id.",
        "schema": {"type": "string", "const": "no-referrer"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Vary": {"description": "What the answer depends on.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "The credentials that would do.", "schema": _TEXT},
    "X-Request-ID": {
        "description": "The request's id: its own `X-Request-ID` where that is sane.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
}
REQUIRED = {"Allow", "Cache-Control", "ETag", "Location", "Referrer-Policy", "Retry-After"} | {
    "Vary",
    "WWW-Authenticate",
    "X-Request-ID",
}

_OF_ALL = ["X-Request-ID"]
_OF_CALLS = [*_OF_ALL, "Cache-Control", "Referrer-Policy", "Vary"]
_OF_RATES = ["RateLimit", "RateLimit-Policy"]  # of counted calls, unless rates are off
_OF_PROBLEMS = {
    401: ["WWW-Authenticate"],
    405: ["Allow"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}
_OF_SUCCESS = {
    ("listOrders", "200"): ["Link", *_OF_RATES],
    ("createOrder", "201"): ["Location", "Idempotency-Replayed", *_OF_RATES],
    ("getOrder", "200"): ["ETag"],
    ("getOrder", "304"): ["ETag"],
    ("setOrderStatus", "200"): ["ETag", *_OF_RATES],
    ("setOrderStatus", "202"): ["ETag", "Retry-After", *_OF_RATES],
    ("createToken", "200"): _OF_RATES,
    ("refreshToken", "200"): _OF_RATES,
}


def complete(document: Schema) -> None:
    """Give each answer of each call its headers, and each call its problems."""
    for operation in operations(document):
        answers = operation["responses"]
        for status, answer in answers.items():
            names = [*_OF_CALLS, *_OF_SUCCESS.get((operation["operationId"], status), ())]
            answer["headers"] = headers(names)
        problems = sorted({*operation.pop("x-problems"), *EVERYWHERE})
        answers |= {str(status): problem(status) for status in problems}
        operation["responses"] = dict(sorted(answers.items()))
    components = document["components"]
    components["responses"] = {name: _problem(status) for status, (name, _) in PROBLEMS.items()}
    components["headers"] = {
        name: header | ({"required": True} if name in REQUIRED else {})
        for name, header in HEADERS.items()
    }


def operations(document: Schema) -> Iterator[Schema]:
    """Yield the calls."""
    for path in document["paths"].values():
        yield from path.values()


def problem(status: int) -> Schema:
    """Return the reference to a problem's answer."""
    return {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}


def headers(names: list[str]) -> Schema:
    """Return references to headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*names, *_OF_ALL})}


def _problem(status: int) -> Schema:
    name, when = PROBLEMS[status]
    content: Schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if name in examples.PROBLEMS:
        content["example"] = examples.PROBLEMS[name]
    return {
        "description": when,
        # What is refused before any call is reached has the first of these alone.
        "headers": headers([*_OF_RATES, *_OF_PROBLEMS.get(status, ())]),
        "content": {PROBLEM_TYPE: content},
    }
