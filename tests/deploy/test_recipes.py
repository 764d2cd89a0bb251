"""render.yaml and docker-compose.yml: they name what there is, and give what is needed."""

import re
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.test import RequestFactory
from django.urls import resolve
from pytest_django.fixtures import Settings

from inventory_client.sandbox.__main__ import _parser as sandbox_parser
from orderservice.client_address import client_address
from orderservice.health import health
from tests.deploy.recipes import (
    blueprint_environment,
    compose_environment,
    read,
    seconds,
    secrets_in,
    variables_of,
    words,
)
from tests.processes import ROOT
from tests.test_settings import COMPLETE, example, start, start_gunicorn

RENDER, COMPOSE = read("render.yaml"), read("docker-compose.yml")
ON_RENDER = {each["name"]: each for each in RENDER["services"]}
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in CONTAINERS.items() if each["image"] == "order-service"}
WITH_ENV = [name for name, each in OURS.items() if each.get("env_file")]
# What compose itself reads, and what the balancer does.
NOT_OURS = {"PUBLIC_SCHEME"}


@cache
def gunicorn_takes() -> float:
    """Return in how many seconds after a SIGTERM gunicorn has stopped: it drains, then waits."""
    return float(start_gunicorn(COMPLETE, "conf['drain_seconds'] + conf['graceful_timeout']"))


def understands(command: list[str]) -> None:
    """Fail unless a command of ours exists and takes these arguments."""
    match command:
        case ["python", "manage.py", name, *arguments]:
            parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
            parser.parse_args(arguments)
        case ["python", "-m", "inventory_client.sandbox", *arguments]:
            sandbox_parser().parse_args(arguments)
        case _:
            pytest.fail(f"what is {command}?")


# --- render.yaml ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "proxies"), [("order-service", 23), ("order-service-worker", 0)])
def test_blueprint_gives_each_service_what_it_reads_and_needs(name: str, proxies: int) -> None:
    """Among it, for who is asked: whose word to take for where a request comes from."""
    given = blueprint_environment(RENDER, ON_RENDER[name])
    assert given.keys() <= example().keys()
    assert given["METRICS_TOKEN"]
    assert given["INVENTORY_SERVICE_URL"] == "https://api.soksothy.me/api/v1"
    given["EMAIL_URL"] = "smtp://relay?from=shop@example.org"  # which needs some of them
    assert start(given, "DEBUG, len(settings.TRUSTED_PROXIES)") == f"False {proxies}"


@pytest.mark.parametrize("name", ON_RENDER)
def test_blueprint_runs_commands_that_there_are(name: str) -> None:
    for field in ("preDeployCommand", "dockerCommand"):
        if field in ON_RENDER[name]:
            understands(words(ON_RENDER[name][field]))


def test_blueprint_deploys_what_passed_ci_after_its_migrations() -> None:
    assert {each["autoDeployTrigger"] for each in RENDER["services"]} == {"checksPass"}
    web = ON_RENDER["order-service"]
    assert words(web["preDeployCommand"])[:3] == ["python", "manage.py", "migrate"]
    assert resolve(web["healthCheckPath"]).func == health
    for each in RENDER["services"]:
        assert each["maxShutdownDelaySeconds"] > gunicorn_takes()


def test_blueprint_tells_clients_apart_behind_render_s_proxies(
    rf: RequestFactory, settings: Settings
) -> None:
    """Render's proxy calls from inside, Cloudflare called it, and the client says the rest."""
    listed = blueprint_environment(RENDER, ON_RENDER["order-service"])["TRUSTED_PROXIES"]
    settings.TRUSTED_PROXIES = [ip_network(each) for each in listed.split(",")]
    came_by = "6.6.6.6, 99.61.165.29, 104.22.17.40"
    request = rf.get("/", headers={"X-Forwarded-For": came_by}, REMOTE_ADDR="10.21.157.68")
    assert client_address(request) == "99.61.165.29"


# --- docker-compose.yml --------------------------------------------------------------------------


def test_containers_are_given_what_they_read_and_need(tmp_path: Path) -> None:
    assert sorted(WITH_ENV) == ["backup", "migrate", "web1", "web2", "worker"]
    first, *others = [OURS[name] for name in WITH_ENV]
    assert all(each["environment"] == first["environment"] for each in others)
    assert first["environment"].keys() <= example().keys()
    given = compose_environment(first, secrets_in(tmp_path))
    shown = "DEBUG, settings.DATABASES['default']['HOST'], settings.INVENTORY_SERVICE_URL"
    assert start(given, shown) == "False database http://inventory:8001/api/v1"


def test_compose_asks_env_for_what_the_service_reads() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert variables_of(text) - NOT_OURS <= example().keys()


def test_one_container_builds_the_image_for_all() -> None:
    """What several build under one tag may be exported at the same time, which fails."""
    assert [name for name, each in OURS.items() if "build" in each] == ["migrate"]
    assert {each["pull_policy"] for each in OURS.values()} == {"never"}


@pytest.mark.parametrize("name", [name for name, each in OURS.items() if "command" in each])
def test_container_runs_a_command_that_there_is(name: str) -> None:
    understands(words(OURS[name]["command"]))


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_can_do_no_more_than_it_must(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"]
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory"} <= container["deploy"]["resources"]["limits"].keys()
    assert container["logging"] == {"driver": "local", "options": {"max-size": "100m"}}
    assert all(port.startswith("127.0.0.1:") for port in container.get("ports", []))


@pytest.mark.parametrize("name", [name for name in CONTAINERS if name not in OURS])
def test_container_of_others_is_pinned_by_tag_and_digest(name: str) -> None:
    assert re.fullmatch(r"[\w/]+:[\w.-]+@sha256:[0-9a-f]{64}", CONTAINERS[name]["image"])


def test_stopping_gunicorn_takes_its_draining_and_its_patience() -> None:
    assert gunicorn_takes() == 5 + 30


@pytest.mark.parametrize("name", OURS)
def test_container_of_ours_ends_at_sigterm(name: str) -> None:
    assert OURS[name]["init"]


def test_containers_wait_for_what_they_need() -> None:
    assert CONTAINERS["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("web1", "web2", "worker"):
        needs = CONTAINERS[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert seconds(CONTAINERS[name]["stop_grace_period"]) > gunicorn_takes()
    for name, container in CONTAINERS.items():
        lasts = container["restart"] == "unless-stopped"
        assert lasts != (name in ("migrate", "backup"))
        for needed, how in container.get("depends_on", {}).items():
            if how["condition"] == "service_healthy" and needed not in OURS:
                assert "healthcheck" in CONTAINERS[needed]


def test_backup_is_written_into_a_volume_that_the_image_s_user_may_write_to() -> None:
    """Beside the programs of PostgreSQL, and only when somebody asks for it."""
    backup, image = CONTAINERS["backup"], (ROOT / "Dockerfile").read_text()
    assert backup["profiles"] == ["backup"]
    [(volume, folder)] = [each.split(":") for each in backup["volumes"]]
    assert volume in COMPOSE["volumes"]
    arguments = words(backup["command"])
    assert arguments[arguments.index("--to") + 1] == folder
    assert f"install --directory --owner=orders --mode=700 {folder}\n" in image
    named = re.search(r"PG_BINDIR=(\S+)", image)
    assert named is not None
    assert f"mkdir -p {named[1]} " in image


def test_balancer_is_whom_the_service_believes_and_answers() -> None:
    [address] = [network["ipv4_address"] for network in CONTAINERS["balancer"]["networks"].values()]
    web = CONTAINERS["web1"]["environment"]
    assert web["TRUSTED_PROXIES"] == f"${{TRUSTED_PROXIES:-{address}}}"
    balancer = CONTAINERS["balancer"]["environment"]
    asked_for = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy" / "haproxy.cfg").read_text()))
    assert balancer.keys() <= asked_for
    assert web["ALLOWED_HOSTS"].split(",")[-1] == balancer["HEALTH_HOST"]
    for number in (1, 2):
        assert balancer[f"WEB{number}"] == f"web{number}:{web['PORT']}"


def test_files_that_containers_see_are_there() -> None:
    mounted = {
        source
        for container in CONTAINERS.values()
        for source, *_ in (volume.split(":") for volume in container.get("volumes", []))
        if source.startswith("./")
    }
    assert mounted
    assert [source for source in sorted(mounted) if not (ROOT / source).exists()] == []


# --- deploy/make-secrets -------------------------------------------------------------------------


def test_secrets_are_made_up_once_and_kept(tmp_path: Path) -> None:
    # Without its last line's end, and with a line of .env.example that nobody has filled in.
    (tmp_path / ".env").write_text(
        "SECRET_KEY=mine\nMETRICS_TOKEN=change-me   # random\nSHOP_NAME=Lamps"
    )
    first = secrets_in(tmp_path)
    password = (tmp_path / "deploy/secrets/grafana-password").read_text()
    assert (first["SECRET_KEY"], first["SHOP_NAME"]) == ("mine", "Lamps")
    assert re.fullmatch("[0-9a-f]{64}", first["DATABASE_PASSWORD"])
    assert len({*first.values(), password}) == 5
    token = (tmp_path / "deploy/secrets/metrics-token").read_text().strip()
    assert token == first["METRICS_TOKEN"]

    assert secrets_in(tmp_path) == first
    assert (tmp_path / "deploy/secrets/grafana-password").read_text() == password


def test_secrets_are_hidden_from_other_users(tmp_path: Path) -> None:
    secrets_in(tmp_path)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / "deploy/secrets").stat().st_mode & 0o077 == 0
    # A container's user is none of the folder's, and has the file alone before it.
    assert (tmp_path / "deploy/secrets/metrics-token").stat().st_mode & 0o004
