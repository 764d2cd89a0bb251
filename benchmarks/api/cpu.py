"""The CPU that processes and their children have had (Linux)."""

import os
from pathlib import Path

_TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds


def used(parent: int) -> float:
    """Return the milliseconds of a process, of its children, and of those that have ended."""
    return sum(_of(pid, ended=True) for pid in (parent, *_children(parent)))


def memory(parent: int) -> list[float]:
    """Return the MiB that each child of a process has for itself: shared pages count in parts."""
    found = []
    for child in _children(parent):
        lines = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()
        found.append(sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024)
    return found


def _of(pid: int, *, ended: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended just now
        return 0.0
    return sum(map(int, fields[11:15] if ended else fields[11:13])) * _TICK


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
