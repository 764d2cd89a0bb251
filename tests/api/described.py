"""Holds the API's answers against what ``docs/openapi.yaml`` says of them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator

from tests.processes import ROOT

FILE: Path = ROOT / "docs" / "openapi.yaml"
JSON = ("application/json", "application/problem+json")
# What may be said of a path by a method that it does not have.
WITHOUT_A_CALL = {"400": "BadRequest", "401": "Unauthorized", "405": "MethodNotAllowed"}
# What every answer may have, whether it is described or not.
GENERAL = {"allow", "cache-control", "referrer-policy", "vary"}

Schema = dict[str, Any]


@cache
def document() -> Schema:
    """Return the description."""
    described: Schema = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return described


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Yield the method, the path and the description of each call."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def resolved(part: Schema) -> Schema:
    """Follow a reference."""
    while "$ref" in part:
        where: Any = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            where = where[step]
        part = where
    return part


def template(path: str) -> str | None:
    """Return the path of the description that a request's path is one of."""
    bare = path.rstrip("/")
    return next((name for name, pattern in _templates() if pattern.fullmatch(bare)), None)


def check(method: str, path: str, answer: Any) -> None:
    """Fail unless the answer is one that the description has, with its headers and its body."""
    described = _answer(method, path, str(answer.status_code))
    call = f"{method} {path}: {answer.status_code}"
    assert described is not None, f"{call} is not described"
    _check_headers(call, described.get("headers", {}), answer.headers)
    contents = described.get("content")
    if contents is None or method == "HEAD":
        assert answer.content == b"", f"{call} has a body"
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    assert media_type in contents, f"{call} is {media_type}"
    if media_type in JSON:
        faults = validator(contents[media_type]["schema"]).iter_errors(answer.json())
        assert not [f"{fault.instance_path}: {fault.message}" for fault in faults], call


def validator(schema: Schema) -> Draft202012Validator:
    """Return a validator of a part of the description; formats count."""
    return _validator(yaml.safe_dump(schema))


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = {"components": document()["components"]} | yaml.safe_load(schema)
    return Draft202012Validator(whole, validate_formats=True)


@cache
def _templates() -> list[tuple[str, re.Pattern[str]]]:
    return [
        (path, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))))
        for path in document()["paths"]
    ]


def _answer(method: str, path: str, status: str) -> Schema | None:
    """Return how an answer is described, None when it is not."""
    problems = document()["components"]["responses"]
    name = template(path)
    if name is None:  # no path of ours
        return (
            problems["NotFound"]
            if status == "404"
            else _of(problems, {"400": "BadRequest"}, status)
        )
    operation = document()["paths"][name].get("get" if method == "HEAD" else method.lower())
    if operation is None:
        return _of(problems, WITHOUT_A_CALL, status)
    found = operation["responses"].get(status)
    return None if found is None else resolved(found)


def _of(problems: Schema, names: dict[str, str], status: str) -> Schema | None:
    return problems[names[status]] if status in names else None


def _check_headers(call: str, described: Schema, sent: Any) -> None:
    known = {name.lower() for name in document()["components"]["headers"]} - GENERAL
    unexpected = known & {name.lower() for name in sent} - {name.lower() for name in described}
    assert not unexpected, f"{call} has {unexpected}"
    for name, reference in described.items():
        header = resolved(reference)
        if name not in sent:
            assert not header.get("required"), f"{call} lacks {name}"
            continue
        value = int(sent[name]) if header["schema"]["type"] == "integer" else sent[name]
        assert validator(header["schema"]).is_valid(value), f"{call} has {name}: {value}"
