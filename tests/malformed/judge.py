"""What is wrong with the answer to a malformed request; nothing, if all is well."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tests.malformed.case import Case, Must

MEMBERS = {"type", "title", "status", "detail", "instance", "code"}
PATIENCE = 40.0  # seconds; the server gives up a request that does not end after 30
UNIMPLEMENTED = 501  # gunicorn's, for a transfer coding that it does not know (RFC 9112, 6.1)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; its headers by their lower-case names. Status 0: the connection was closed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def is_the_services(self) -> bool:
        """Whether it is ours, and not the web server's own."""
        return "x-request-id" in self.headers


def faults(case: Case, answer: Answer) -> Iterator[str]:
    """Yield in words what the answer must not be."""
    if answer.seconds > PATIENCE:
        yield "no answer in time"
        return
    by_server = case.must is Must.BE_NO_HTTP and not answer.is_the_services
    if answer.status >= 500 and not (by_server and answer.status == UNIMPLEMENTED):
        yield f"{answer.status}"
        return
    if by_server:
        if 0 < answer.status < 400:
            yield f"{answer.status} of the web server itself"
        return
    if not answer.is_the_services:
        yield f"{answer.status} that is not the service's"
        return
    if case.must is Must.BE_REFUSED and not 400 <= answer.status < 500:
        yield f"{answer.status}, no refusal"
    if "access-control-allow-origin" in answer.headers:
        yield "CORS headers for a foreign origin"
    if b"Traceback" in answer.body:
        yield "a stack trace"
    if answer.status >= 400 and _is_below_api(case):
        yield from _no_problem(case, answer)


def _no_problem(case: Case, answer: Answer) -> Iterator[str]:
    """Yield what a refusal lacks to be a problem (RFC 9457)."""
    content_type = answer.headers.get("content-type", "")
    if content_type != "application/problem+json":
        yield f"{answer.status} as {content_type or 'nothing'}"
        return
    if case.method == "HEAD":
        return
    problem = json.loads(answer.body)
    if missing := MEMBERS - problem.keys():
        yield f"a problem without {', '.join(sorted(missing))}"
    elif problem["status"] != answer.status:
        yield f"{answer.status} that says {problem['status']}"
    elif problem["instance"] != answer.headers["x-request-id"]:
        yield "another instance than X-Request-ID"
    elif not all(isinstance(problem[name], str) and problem[name] for name in ("code", "detail")):
        yield "a problem without words"


def _is_below_api(case: Case) -> bool:
    if case.raw is not None:
        return case.raw.split(b" ")[1:2] != [] and case.raw.split(b" ")[1].startswith(b"/api/")
    path = unquote_to_bytes(case.path.encode("latin-1"))
    return path == b"/api" or path.startswith(b"/api/")
