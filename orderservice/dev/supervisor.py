"""Runs some programs together: starts them in order, shows what they say, stops them in reverse.

Each is out of Ctrl-C's reach in a session of its own, so that the order is ours to keep. On Linux
the kernel stops them too, should this process be killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

POLL = 0.2  # seconds
BETWEEN_TENDING = 3.0  # seconds
PATIENCE = 15.0  # seconds that a program has to stop
DEATHS, WITHIN = 3, 60.0  # so many deaths in so many seconds end the run

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_writing = threading.Lock()


class RunFailed(Exception):
    """The run can't go on; says why and what to do about it."""


@dataclass
class Program:
    """A program that shall run for as long as we do."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[str] | None = None
    relay: threading.Thread | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))


class Supervisor:
    """Holds the programs; leaving it stops them all, whatever the reason."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs: list[Program] = []

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Run a program to its end and return what it wrote; raise `RunFailed` when it fails."""
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RunFailed(f"{name} failed:\n{done.stdout.rstrip()}")
        return done.stdout

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program that stays."""
        program = Program(name, command, environment)
        self._programs.append(program)
        self._spawn(program)

    def wait_until(self, ready: Callable[[], bool], what: str, within: float = 60.0) -> None:
        """Wait for something that a program shall do; raise `RunFailed` when it does not."""
        deadline = time.monotonic() + within
        while not ready():
            self._look_after()
            if time.monotonic() > deadline:
                raise RunFailed(f"{what} did not start in {within:.0f} s; see above.")
            time.sleep(POLL)

    def watch(self, tend: Callable[[], object]) -> NoReturn:
        """Restart what dies, until a signal's exception; raise `RunFailed` when it dies often.

        ``tend`` is called now and then, for what is not a program of ours.
        """
        while True:
            tend()
            for _ in range(round(BETWEEN_TENDING / POLL)):
                self._look_after()
                time.sleep(POLL)

    def _look_after(self) -> None:
        for program in self._programs:
            code = program.process.poll() if program.process else None
            if code is None:
                continue
            say(f"{program.name} died {_how(code)}; starting it again")
            now = time.monotonic()
            program.deaths.append(now)
            if len(program.deaths) == DEATHS and now - program.deaths[0] < WITHIN:
                raise RunFailed(f"{program.name} keeps dying; see above why.")
            self._spawn(program)

    def _spawn(self, program: Program) -> None:
        program.process = subprocess.Popen(
            program.command,
            cwd=self._folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_end_with_this_process(),
        )
        program.relay = threading.Thread(
            target=_relay, args=(program.name, program.process), daemon=True
        )
        program.relay.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all programs, the last one first."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # we are at it
        for program in reversed(self._programs):
            if program.process and program.process.poll() is None:
                say(f"stopping {program.name}")
                _stop(program.process)
                if program.relay:
                    program.relay.join(1)  # what it said last belongs before the next one's end


def say(text: str, name: str = "run") -> None:
    """Write a line that says who it is from."""
    with _writing, suppress(BrokenPipeError):
        sys.stdout.write(f"{name:>9} | {text}\n")
        sys.stdout.flush()


def _relay(name: str, process: subprocess.Popen[str]) -> None:
    for line in process.stdout or ():
        say(line.rstrip("\n"), name)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _how(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _end_with_this_process() -> Callable[[], None] | None:
    """Make what a child does first, so that it is stopped when this process is killed."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # killed before we asked
            os._exit(1)

    return ask_the_kernel
