"""What the service tells about itself: JSON logs, and an id that follows each request.

Logs carry the order's number and route templates. They never carry a path, for an order's id is
what a guest reads the order with, nor personal data.
"""

import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType

import structlog
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject
from structlog.contextvars import bound_contextvars

from orderservice import redaction, tracing
from orderservice.metrics import instruments
from orderservice.postgresql import statements

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

log = structlog.get_logger("orderservice.request")


def configure_logging(
    *, level: str, json: bool, also: Sequence[structlog.typing.Processor] = ()
) -> None:
    """Send structlog's and the standard library's records to stderr, one line each.

    What is told ``also`` sees each line before its stack is made text.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
        *also,
        structlog.processors.ExceptionRenderer(lambda info: redaction.stack(info[1])),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # Of a record nobody reads the place in the code and the thread, which cost a sixth of a line.
    # (Python's "Logging HOWTO", Optimization, says how to do without.)
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.addFilter(_redact_arguments)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
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
    logging.captureWarnings(True)
    # What nobody has caught would be printed by Python itself, with all its words.
    sys.excepthook = _unhandled
    threading.excepthook = _unhandled_in_thread
    sys.unraisablehook = _unraisable


def principal(request: HttpRequest) -> str:
    """Return who asked, as ``user:<id>``, ``key:<prefix>`` or ``guest``; looks nobody up."""
    if prefix := getattr(getattr(request, "auth", None), "prefix", None):
        return f"key:{prefix}"
    # The REST framework leaves the user here; the sessions' middleware a promise of one, and beside
    # it the user once somebody has asked for it.
    user = request.__dict__.get("_cached_user") or request.__dict__.get("user")
    if user is None or isinstance(user, LazyObject) or user.pk is None:
        return "guest"
    return f"user:{user.pk}"


def _redact(
    logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Take an exception among a line's values for what may be told of it."""
    for name, value in event.items():
        if isinstance(value, BaseException) and name != "exc_info":
            event[name] = redaction.summary(value)
    return event


def _redact_arguments(record: logging.LogRecord) -> bool:
    """Do the same with the arguments of a record of the standard library's.

    asyncio tells an exception twice: in its words after the first line, and as the exception.
    """
    if record.name == "asyncio" and record.exc_info:
        record.msg = str(record.msg).partition("\n")[0]
    if isinstance(record.msg, BaseException):  # as who writes logger.error(exc) gives it
        record.msg = redaction.summary(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(
            redaction.summary(value) if isinstance(value, BaseException) else value
            for value in record.args
        )
    return True


def _unhandled(
    kind: type[BaseException], exc: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt) or hasattr(sys, "ps1"):  # somebody sits before it
        sys.__excepthook__(kind, exc, traceback)
    else:
        log.critical("unhandled", exc_info=exc)


def _unhandled_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        log.critical("unhandled", exc_info=args.exc_value)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    log.error("unraisable", exc_info=args.exc_value)


@receiver(got_request_exception)
def _failed(**_: object) -> None:
    """Log the stack of what no view and no middleware has caught; the client is told nothing."""
    log.exception("unhandled")


class RequestLogMiddleware:
    """Gives each request an id, taken from ``X-Request-ID`` when sane, and logs one line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "")
        request_id = sent if REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())
        method, traceparent = request.method or "", request.headers.get("traceparent", "")
        asked = statements()
        started = time.perf_counter()
        with bound_contextvars(request_id=request_id), tracing.request(method, traceparent) as span:
            response = self.get_response(request)
            took = time.perf_counter() - started
            route = request.resolver_match.route if request.resolver_match else None
            log.info(
                "request",
                method=method,
                route=route,
                status=response.status_code,
                principal=principal(request),
                ms=round(took * 1000, 1),
                statements=statements() - asked,
            )
            tracing.answered(span, method, route, response.status_code)
        instruments.request(method, route, response.status_code, took)
        response["X-Request-ID"] = request_id
        return response
