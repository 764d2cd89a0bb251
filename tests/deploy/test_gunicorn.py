"""gunicorn, as production starts it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, ask, database_url, free_port, stop, wait_for

PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "R8XWrtzTOm-9vbMc0Qh4eGZVqPnYkUJ2sFa7LdiB1w5xoNEC",
    "ALLOWED_HOSTS": "localhost",
    "INVENTORY_SERVICE_URL": "https://inventory.example.org/api/v1",
    "WEB_CONCURRENCY": "1",
    "WEB_DRAIN_SECONDS": "0",
    "LOG_LEVEL": "INFO",
}


def memory(pid: int) -> dict[str, int]:
    """Return a process's memory by kind, in kB, as Linux tells."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {kind: int(size) for kind, size in re.findall(r"^(\w+): +(\d+) kB$", told, re.MULTILINE)}


@pytest.mark.usefixtures("committed_db")
def test_gunicorn_in_production_finds_its_configuration_serves_and_stops() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "orderservice.wsgi"],
        cwd=ROOT,
        env=os.environ | PRODUCTION | {"DATABASE_URL": database_url(), "PORT": str(port)},
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: ask(port, "/health") == (200, ""))
        assert ask(port, "/admin/") == (301, f"https://localhost:{port}/admin/")
        [forked] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        taken = memory(int(forked))
        assert taken["Private_Dirty"] < 0.4 * taken["Rss"]  # the rest it shares
        assert stop(process) == 0
    finally:
        process.kill()
    assert process.stderr is not None
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]  # each of them
    for words in ("Using worker: PatientWorker", "Worker exiting"):
        assert any(words in line["event"] for line in lines if line["logger"] == "gunicorn.error")
    assert any(line["event"] == "request" for line in lines)
