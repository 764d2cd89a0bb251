"""The zygote as the run sees it: ask for a job, get what became of it."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: killed, with an error, or with a result."""

    killed: bool
    result: Any
    error: str


class Zygote:
    """A running zygote; any thread may ask for jobs. Its children die with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote"],
            cwd=ROOT,
            env={
                **os.environ,
                **environment,
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "PYTHONWARNINGS": "ignore",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Ended]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, job: str, **arguments: Any) -> Future[Ended]:
        """Have a child do a job of ``tests.chaos.jobs``."""
        future: Future[Ended] = Future()
        assert self._process.stdin
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            line = json.dumps({"id": number, "job": job, "with": arguments})
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        return future

    def do(self, job: str, within: float = 30.0, **arguments: Any) -> Any:
        """Have a child do a job that nothing is ordered to kill; return its result."""
        ended = self.ask(job, **arguments).result(timeout=within)
        if ended.killed or ended.error:
            raise RuntimeError(f"{job}: {ended.error or 'killed'}")
        return ended.result

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            document = json.loads(line)
            with self._lock:
                future = self._waiting.pop(document.pop("id"))
            future.set_result(Ended(**document))
        with self._lock:
            left, self._waiting = list(self._waiting.values()), {}
        for future in left:
            future.set_result(Ended(killed=True, result=None, error="the zygote is gone"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
