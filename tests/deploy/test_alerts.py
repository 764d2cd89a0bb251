"""The alerts and the dashboard that ship: they fire when they should, and ask for what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django.fixtures import Settings

from inventory_client import service
from inventory_client.sandbox.server import Sandbox
from orders.stock import inventory
from orderservice.metrics import instruments
from tests.processes import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "orderservice.json"
RUNBOOK = ROOT / "docs" / "operations.md"
METRIC = re.compile(r"\borderservice_[a-z_]+")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool")
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    for command in (["check", "rules", ALERTS.name], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(
            ["promtool", *command], cwd=ALERTS.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_name_the_job_that_prometheus_has() -> None:
    configuration = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]
    assert set(re.findall(r'job="(\w+)"', ALERTS.read_text())) == {job["job_name"]}


def test_the_inventory_is_down_by_what_opens_the_breaker() -> None:
    [rule] = [rule for rule in rules() if rule["alert"] == "InventoryDown"]
    named = re.findall(r'outcome(=~|!~)"([^"]+)"', rule["expr"])
    trouble = service._TROUBLE
    # These tell the breaker nothing: calls not sent, or cut short by us, and errors of our own.
    silent = service._SILENT | {"breaker_open", "failed"}
    assert [(how, frozenset(outcomes.split("|"))) for how, outcomes in named] == [
        ("=~", trouble),
        ("!~", silent),
        ("=~", trouble),
        ("!~", silent | trouble),
    ]


def test_each_alert_is_tried() -> None:
    fires, is_quiet = set[str](), set[str]()
    for group in yaml.safe_load((ALERTS.parent / "alerts.test.yml").read_text())["tests"]:
        for case in group.get("alert_rule_test", ()):
            (fires if case["exp_alerts"] else is_quiet).add(case["alertname"])
        for case in group.get("promql_expr_test", ()):
            some = any(sample["value"] for sample in case["exp_samples"])
            named = re.findall(r'alertname="(\w+)"', case["expr"])
            (fires if some else is_quiet).update(named)
    assert fires == is_quiet == {rule["alert"] for rule in rules()}


def test_each_alert_names_its_section_of_the_runbook_and_each_section_its_alert() -> None:
    _, _, after = RUNBOOK.read_text().partition("\n## Alerts\n")
    sections = re.findall(r"^### (\w+)$", after.partition("\n## ")[0], re.MULTILINE)
    assert [rule["alert"] for rule in rules()] == sections
    for rule in rules():
        anchor = f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] == anchor


@pytest.mark.django_db
@pytest.mark.parametrize("file", [ALERTS, DASHBOARD, RUNBOOK], ids=lambda file: file.name)
def test_what_is_asked_for_is_there(file: Path, settings: Settings, sandbox: Sandbox) -> None:
    settings.METRICS_TOKEN = "a-token-of-the-operators"
    inventory.client()
    instruments.outgoing("inventory", "check", "answered", 0.1)
    instruments.confirmations.labels("confirmed").inc()
    Client().get("/health")
    told = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    there = set(METRIC.findall(told.content.decode()))
    asked = set(METRIC.findall(file.read_text()))
    assert asked - there - {"orderservice_"} == set()
    if file == RUNBOOK:  # whose table names all, in short
        table = file.read_text().partition("| metric (")[2].partition("\n\n")[0]
        named = {
            f"orderservice_{name}" for name in re.findall(r"`([a-z_]+)(?:\{[a-z,]*\})?`", table)
        }
        assert named - there == set()
        families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in there}
        families.discard("orderservice_processes")
        assert families - named - {name.removesuffix("_total") for name in named} == set()


def test_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    assert {panel["datasource"]["uid"] for panel in panels} == {"prometheus"}
