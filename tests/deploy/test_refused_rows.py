"""Our processes, each before a row that PostgreSQL refuses: what they write to stderr."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from inventory_client.sandbox.server import Sandbox
from orders.models import ProcessReport
from tests.deploy.serving import served
from tests.processes import MANAGE, ROOT, ask, database_url, stop, wait_for, worker
from tests.refused import EMAIL, NAME, refused, tells_only_names


def line_with(text: str, log: str) -> str:
    """Return the one line that holds the text; all others must be JSON as well."""
    lines = [line for line in log.splitlines() if json.loads(line)]
    [found] = [line for line in lines if text in line]
    return found


@pytest.mark.usefixtures("committed_db")
def test_no_process_shows_a_row_that_was_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    """gunicorn's own logger, procrastinate's, and a command that nobody has made fail."""
    counted = {"birds": [(NAME, {"email": EMAIL}, 1.0)]}
    ProcessReport.objects.create(pk=ProcessReport.GONE, reported_at=timezone.now(), samples=counted)
    log = tmp_path / "worker"
    with refused():
        app.configure_task("orders.fold_metrics").defer(timestamp=0)
        with (
            worker(sandbox.url, log=log, LOG_FORMAT="json", PYTHONWARNINGS="ignore") as working,
            served(
                tmp_path / "gunicorn",
                application="tests.deploy.failing",
                INVENTORY_SERVICE_URL=sandbox.url,
                LOG_FORMAT="json",
            ) as server,
        ):
            assert ask(server.port, "/fail")[0] == 500
            command = subprocess.run(
                [*MANAGE, "create_customer", "--email", EMAIL, "--name", NAME],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": database_url(), "LOG_FORMAT": "json"},
                capture_output=True,
                text=True,
                check=False,
            )
            wait_for(lambda: "orders.fold_metrics" in log.read_text())
            assert stop(working) == 0
    assert command.returncode == 1
    tells_only_names(line_with('"unhandled"', command.stderr))
    tells_only_names(line_with("orders.fold_metrics", log.read_text()))
    tells_only_names(line_with("Error handling request", server.log.read_text()))
