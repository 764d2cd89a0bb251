"""Requests that schemathesis makes up from our description, against the service as it runs.

``FUZZ_EXAMPLES`` and ``FUZZ_SEED`` are for `make fuzz`, the long run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from inventory_client.sandbox.server import Sandbox
from inventory_client.sandbox.store import Item
from orders.api.schema import examples
from tests.api.calls import key_of
from tests.api.described import operations
from tests.factories import staff, user
from tests.processes import ROOT, web

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))  # an operation
SEED = int(os.environ.get("FUZZ_SEED", "7"))

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def everything(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An inventory with plenty of whatever is asked for, unless it begins with 9."""
    known = sandbox.store.item

    def item(product_id: str) -> Item | None:
        if not product_id.startswith("9"):
            sandbox.store.create(product_id, 10**12, "Main")
        return known(product_id)

    sandbox.store.set_stock({"10": 1000, "11": 1000})
    monkeypatch.setattr(sandbox.store, "item", item)
    return sandbox


@pytest.fixture
def service(everything: Sandbox) -> Iterator[str]:
    """The service in a process of its own, without rates; its address."""
    module = "tests.fuzz.settings"
    with web(everything.url, DJANGO_SETTINGS_MODULE=module, API_THROTTLES="off") as address:
        yield address


@pytest.fixture
def john() -> None:
    """The customer of the example: the one who gets tokens."""
    [example, _] = examples.SIGN_INS.values()
    customer = user(username=example["username"])
    customer.set_password(example["password"])
    customer.save()


def test_service_does_what_its_description_says(john: None, service: str, tmp_path: Path) -> None:
    report, key = tmp_path / "report.json", key_of(staff("manager"))
    options = {
        "--url": service,
        "--header": f"Authorization: Api-Key {key}",
        "--max-examples": str(EXAMPLES),
        "--seed": str(SEED),
        "--report": "json",
        "--report-json-path": str(report),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
    run = subprocess.run(
        [*command, "run", "docs/openapi.yaml", *chain.from_iterable(options.items())],
        cwd=ROOT,
        check=False,  # what it says is shown when the test fails
    )
    said = json.loads(report.read_text())
    assert (said["failures"], said["errors"], run.returncode) == ([], [], 0)
    assert said["operations"]["tested"] == said["operations"]["total"] == len(list(operations()))
    assert {name: phase["status"] for name, phase in said["phases"].items()} == {
        "examples": "success",
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert said["test_cases"]["generated"] > 5 * EXAMPLES  # some operations have but one request
