"""What render.yaml and docker-compose.yml say, as the platform would read it."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.processes import ROOT

BASE64_OF_256_BITS = "q0S1nE9zXh7mYwTkR4bVc2dLf8gJp6aZu5iOx3sHt1A="
_OF_RENDER = {
    "RENDER_EXTERNAL_HOSTNAME": "order-service.onrender.com",
    "RENDER_EXTERNAL_URL": "https://order-service.onrender.com",
}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def read(name: str) -> dict[str, Any]:
    """Return what a YAML file of the repository's root says."""
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return content


# --- render.yaml ---------------------------------------------------------------------------------


def blueprint_environment(blueprint: dict[str, Any], service: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a service, with values such as Render fills in."""
    groups = {group["name"]: group["envVars"] for group in blueprint["envVarGroups"]}
    found: dict[str, str] = {}
    for entry in service["envVars"]:
        for each in groups[entry["fromGroup"]] if "fromGroup" in entry else [entry]:
            found[each["key"]] = _filled_in(blueprint, each)
    return found


def _filled_in(blueprint: dict[str, Any], entry: dict[str, Any]) -> str:
    if "fromDatabase" in entry:
        wanted = entry["fromDatabase"]
        assert wanted["name"] in {each["name"] for each in blueprint["databases"]}
        assert wanted["property"] == "connectionString"
        return "postgresql://orders:pw@dpg-0-a/orders"
    if "fromService" in entry:
        wanted = entry["fromService"]
        assert (wanted["type"], wanted["name"]) in {
            (each["type"], each["name"]) for each in blueprint["services"]
        }
        return _OF_RENDER[str(wanted["envVarKey"])]
    if entry.get("generateValue"):
        return BASE64_OF_256_BITS
    return str(entry["value"])


# --- docker-compose.yml --------------------------------------------------------------------------


def variables_of(text: str) -> set[str]:
    """Return the variables of .env that a text of the compose file asks for."""
    return {found["name"] for found in _VARIABLE.finditer(text)}


def secrets_in(folder: Path) -> dict[str, str]:
    """Have the secrets made up in a folder; return its .env."""
    subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def compose_environment(service: dict[str, Any], dotenv: dict[str, str]) -> dict[str, str]:
    """Return the variables of a container; raise KeyError for one that .env must have."""
    given = dotenv if service.get("env_file") else {}
    return given | {
        name: _VARIABLE.sub(lambda found: _interpolated(found, dotenv), value)
        for name, value in service.get("environment", {}).items()
    }


def _interpolated(found: re.Match[str], dotenv: dict[str, str]) -> str:
    if dotenv.get(found["name"]):
        return dotenv[found["name"]]
    if found["kind"] == "-":
        return found["rest"]
    raise KeyError(found["name"])


def seconds(text: str) -> int:
    """Return a duration of the compose file."""
    assert text.endswith("s")
    return int(text[:-1])


def words(command: str | list[str]) -> list[str]:
    """Return a command's words, however it is written."""
    return shlex.split(command) if isinstance(command, str) else command
