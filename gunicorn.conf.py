"""How gunicorn serves; it finds this file by itself from the repository's root."""

import os
from pathlib import Path

from orderservice.terminating import end_at_sigterm

end_at_sigterm()  # until gunicorn, which reads this first, has handlers of its own

from django.conf import settings
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from orderservice import draining, garbage, tracing
from orderservice.environment import DEBUG, seconds, whole
from orderservice.serving import Log, PatientWorker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")

bind = f"0.0.0.0:{settings.PORT}"
worker_class = PatientWorker
workers = whole("WEB_CONCURRENCY", 2, most=1000)
threads = settings.WEB_THREADS  # which has read the rest too, or refused it before anything serves
# Most is loaded once, and shared: two processes start with a quarter less of the CPU's time, four
# with 40 % less. Nothing that is loaded opens a connection or starts a thread.
preload_app = True

# Seconds. `timeout` is for a worker whose loop hangs, not for a slow request: a request ends by the
# database's statement timeout, and by the few seconds that it stays with a confirmation.
timeout = 30
graceful_timeout = 30
# After SIGTERM, before any of that: for as long as balancers may need to find out.
drain_seconds = seconds("WEB_DRAIN_SECONDS", 0 if DEBUG else 5, may_be_none=True)
# Longer than the idle time of the usual load balancers' connections, so that it is they who close.
keepalive = 75
PatientWorker.arrival = seconds("WEB_ARRIVAL_SECONDS", 20)  # of a whole request, however slow
# Python's sendfile() waits without end for a client that takes nothing, whatever its socket allows.
sendfile = False

# Bytes and counts. What is beyond them never reaches Django; the limit of a body is Django's own.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# A worker's heartbeat is a file: on a disk that is slow, or read-only, it would be taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

accesslog = None  # our JSON line a request is the access log
logger_class = Log
control_socket_disable = True  # it would want a home folder to write to


def when_ready(server: Arbiter) -> None:
    """Begin to listen; from now on a SIGTERM is one for an instance that serves."""
    garbage.settle()  # before the fork: in a process it would write to all that they share
    draining.before_stopping(server, drain_seconds)


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Send errors on a connection of this process's own."""
    if settings.SENTRY_DSN:
        from orderservice import sentry  # noqa: PLC0415 - who has none need not wait for it

        sentry.start(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)


def post_worker_init(worker: Worker) -> None:
    """Begin to count and to trace, each process for itself, and to wait for no frozen server."""
    from orderservice.metrics import reports  # noqa: PLC0415 - Django is set up by now
    from orderservice.postgresql import patience  # noqa: PLC0415 - as above

    patience.give_up_after_the_server()
    reports.start("web")
    tracing.start()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Keep what this process has counted, and send what it has yet to tell."""
    from orderservice.metrics import reports  # noqa: PLC0415 - as above

    reports.finish()
    tracing.stop()
