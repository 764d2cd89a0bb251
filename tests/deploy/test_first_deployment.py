"""The runbook's first deployment, line by line as it stands there, in a clean folder."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.db import connection

from inventory_client.sandbox.server import Sandbox
from tests.api.calls import body
from tests.backup import databases
from tests.factories import stock
from tests.processes import ROOT, database_url, free_port, stop, wait_for
from tests.test_settings import example

HOST = "orders.example.com"
NOT_CLONED = (
    *(".git", ".venv", ".local", ".env", "staticfiles"),
    *("__pycache__", ".*_cache", ".hypothesis"),  # which come and go under the hands of other tests
)
SUPERUSER = {
    "DJANGO_SUPERUSER_USERNAME": "ops",
    "DJANGO_SUPERUSER_EMAIL": "ops@example.org",
    "DJANGO_SUPERUSER_PASSWORD": secrets.token_urlsafe(12),
}
# What needs the network; the environment that the tests run in stands for it.
INSTALLED = [
    "python3 -m venv .venv",
    ".venv/bin/pip install --require-hashes -r requirements.txt",
]


def lines() -> list[str]:
    """Return the commands of the section's first block."""
    section = (ROOT / "docs" / "operations.md").read_text().partition("## First deployment")[2]
    [block] = re.findall(
        r"(?:^    .+\n)+", section.partition("Then, from outside")[0], re.MULTILINE
    )
    return [line.partition("  #")[0].strip() for line in block.splitlines()]


def fill_in(file: Path, **values: str) -> None:
    """Give the variables that have no default a value, as a person does."""
    text = file.read_text()
    for name, value in values.items():
        text, found = re.subn(rf"^{name}=\S+", f"{name}={value}", text, flags=re.MULTILINE)
        assert found == 1
    file.write_text(text)


@pytest.fixture
def empty(committed_db: None) -> Iterator[str]:
    """An empty database of the test's own; its URL."""
    name = f"{connection.settings_dict['NAME']}_first"
    databases.create(name)
    yield re.sub(r"[^/]+$", name, database_url())
    databases.destroy(name)


def test_first_deployment_word_for_word(tmp_path: Path, empty: str, sandbox: Sandbox) -> None:
    clone, *installed, copied = lines()[:4]
    assert clone == "git clone <this repository> order-service && cd order-service"
    assert installed == INSTALLED
    assert copied == "install -m 600 .env.example .env"
    folder = tmp_path / "order-service"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_CLONED))
    (folder / ".venv").symlink_to(sys.prefix)
    *commands, web, worker = lines()[4:]
    port = free_port()
    # Nothing of ours but what .env says.
    environment = {name: value for name, value in os.environ.items() if name not in example()}

    def run(line: str, **variables: str) -> str:
        done = subprocess.run(
            shlex.split(line),
            cwd=folder,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout

    run(copied)
    fill_in(
        folder / ".env",
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS=HOST,
        DATABASE_URL=empty,
        INVENTORY_SERVICE_URL=sandbox.url,
    )
    sandbox.store.set_stock({"10": 45})
    for line in commands:
        if line.endswith("createsuperuser"):  # which asks a person
            run(f"{line} --no-input", **SUPERUSER)
        else:
            run(line)
    assert commands[-1].endswith("check_inventory --product 10")

    started = [
        subprocess.Popen(shlex.split(line), cwd=folder, env=environment | {"PORT": str(port)})
        for line in (web, worker)
    ]
    try:
        # As the proxy sends it.
        service = requests.Session()
        service.headers.update({"Host": HOST, "X-Forwarded-Proto": "https"})
        address = f"http://127.0.0.1:{port}"

        def status() -> str:
            try:
                return str(service.get(f"{address}/health/ready", timeout=5).json()["status"])
            except requests.ConnectionError:
                return "not there yet"

        wait_for(lambda: status() == "ok", within=60)
        key = run(".venv/bin/python manage.py create_api_key --name shop --role manager").split()[
            -1
        ]
        service.headers["Authorization"] = f"Api-Key {key}"
        placed = service.post(f"{address}/api/orders", json=body(), timeout=30).json()
        path = f"{address}/api/orders/{placed['id']}"
        answer = service.patch(f"{path}/status", json={"status": "CONFIRMED"}, timeout=30)
        assert answer.status_code in (200, 202)
        wait_for(lambda: service.get(path, timeout=30).json()["status"] == "CONFIRMED")
        assert stock(sandbox) == {"10": 43}
        [effect] = sandbox.store.last_effects(2)
        assert effect["reason"].startswith(f"order:{placed['number']} movement:")
        assert run(".venv/bin/python manage.py reconcile_stock").strip() == "clean"
        assert [stop(process, within=45) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
            process.wait()
