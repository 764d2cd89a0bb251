"""A process with Django loaded that forks a child a job, so that a kill costs milliseconds.

``python -m tests.chaos.zygote`` reads a job a line from its input, ``{"id", "job", "with"}``, and
writes a line for each as it ends: ``{"id", "killed", "result", "error"}``. It opens no connection
and starts no thread, so that what it forks is sound. It ends with its input.
"""

import json
import os
import selectors
import signal
import sys
import traceback
from typing import Any

import django
from django.utils.module_loading import import_string


def main() -> None:
    """Fork children for jobs until the input ends; then kill those that are left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.chaos.settings")
    django.setup()
    jobs = import_string("tests.chaos.jobs.JOBS")
    running: dict[int, tuple[int, int]] = {}
    watch = selectors.DefaultSelector()
    watch.register(sys.stdin.fileno(), selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in watch.select():
            if key.fd != sys.stdin.fileno():
                watch.unregister(key.fd)
                _report(key.fd, *running.pop(key.fd))
                continue
            received = os.read(key.fd, 65536)
            if not received:
                for _, child in running.values():
                    os.kill(child, signal.SIGKILL)
                return
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                job = json.loads(line)
                answer, child = _fork(jobs[job["job"]], job["with"])
                running[answer] = (job["id"], child)
                watch.register(answer, selectors.EVENT_READ)


def _fork(job: Any, arguments: dict[str, Any]) -> tuple[int, int]:
    """Start a child that runs the job; return where its answer can be read, and its id."""
    answer, answering = os.pipe()
    child = os.fork()
    if child:
        os.close(answering)
        return answer, child
    code = 1
    try:
        os.close(answer)
        document: dict[str, Any] = {"result": None, "error": ""}
        try:
            document["result"] = job(**arguments)
        except Exception:  # whatever it was, it is the answer
            document["error"] = traceback.format_exc(limit=-4)
        os.write(answering, json.dumps(document).encode())
        code = 0
    finally:
        os._exit(code)


def _report(answer: int, number: int, child: int) -> None:
    text = b"".join(iter(lambda: os.read(answer, 65536), b""))
    os.close(answer)
    _, status = os.waitpid(child, 0)
    document = json.loads(text) if text else {"result": None, "error": ""}
    killed = os.WIFSIGNALED(status)
    sys.stdout.write(json.dumps({"id": number, "killed": killed, **document}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
