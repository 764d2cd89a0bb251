"""What the service tells about itself: JSON logs, and an id that follows each request.

Logs carry the order's number and route templates. They never carry a path, for an order's id is
what a guest reads the order with, nor personal data.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

log = structlog.get_logger("orderservice.request")


def configure_logging(*, level: str, json: bool) -> None:
    """Send structlog's and the standard library's records to stderr, one line each."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # Of a record nobody reads the place in the code and the thread, which cost a sixth of a line.
    # (Python's "Logging HOWTO", Optimization, says how to do without.) gunicorn shows the process.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Django repeats each 4xx here with its path, and the path may hold an order's id.
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    # At DEBUG it shows the request, path and all, wherever a template names what is not there.
    logging.getLogger("django.template").setLevel(logging.INFO)
    # A path, or a stack for each foreign host; the line of the request tells the refusal anyway.
    logging.getLogger("django.security").setLevel(logging.CRITICAL)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)


class RequestLogMiddleware:
    """Gives each request an id, taken from ``X-Request-ID`` when sane, and logs one line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "")
        request_id = sent if REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            match = request.resolver_match
            log.info(
                "request",
                method=request.method,
                route=match.route if match else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        response["X-Request-ID"] = request_id
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Log the stack of what no view has caught; the client is told nothing of it."""
        if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation):
            return  # answers, not faults
        log.exception("unhandled", exc_info=exception)
