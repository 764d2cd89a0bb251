"""What the library has no words for: problems, headers, links, and what is no call of the API."""

from typing import Any

from orders.api.schema import answers, examples

Schema = dict[str, Any]

_WORDS = {"status": "OrderStatus", "stock": "StockState"}


def completed(result: Schema, **kwargs: Any) -> Schema:
    """Return the whole document."""
    answers.complete(result)
    calls = {each["operationId"]: each for each in answers.operations(result)}
    _explain(calls["listOrders"]["parameters"])
    _amend(result["components"]["schemas"])
    _link(calls)
    result["paths"] |= _documents() | _health()
    for parts in result["components"].values():
        for name in sorted(parts):
            parts[name] = parts.pop(name)
    return result


def _amend(schemas: Schema) -> None:
    # A reason goes with a cancellation alone.
    schemas["StatusChange"]["dependentSchemas"] = {
        "reason": {"properties": {"status": {"const": "CANCELLED"}}}
    }
    event = schemas["Event"]["properties"]
    for name in ("fromStatus", "toStatus"):  # the library forgets a null beside an enumeration
        event[name] = {"anyOf": [event[name], {"type": "null"}]}


def _explain(parameters: list[Schema]) -> None:
    for parameter in parameters:
        if parameter["name"] in _WORDS:
            parameter["schema"] = {"$ref": f"#/components/schemas/{_WORDS[parameter['name']]}"}
        parameter["schema"].pop("minLength", None)  # the patterns say it already
        parameter["description"], example = examples.PARAMETERS[parameter["name"]]
        if example is not None:
            parameter["example"] = example
    order = list(examples.PARAMETERS)
    parameters.sort(key=lambda parameter: order.index(parameter["name"]))


def _link(calls: dict[str, Schema]) -> None:
    """Say what can be done next with a new order."""
    calls["createOrder"]["responses"]["201"]["links"] = {
        name: {"operationId": name, "parameters": {"order_id": "$response.body#/id"}}
        for name in ("getOrder", "setOrderStatus", "listOrderEvents")
    }


def _documents() -> Schema:
    """Return this document's own address, and its page's."""
    any_object = {"schema": {"type": "object"}}
    return {
        "/api/schema": {
            "get": {
                "operationId": "getSchema",
                "summary": "Read this document",
                "description": "In YAML where `Accept` would rather have that.",
                "tags": ["Description"],
                "security": [{}],
                "responses": {
                    "200": {
                        "description": "The description of the API, in OpenAPI 3.1.",
                        "headers": answers.headers(["Cache-Control", "Vary"]),
                        "content": {
                            "application/json": any_object,
                            "application/yaml": any_object,
                        },
                    },
                    "400": answers.problem(400),
                    "500": answers.problem(500),
                },
            }
        },
        "/api/docs": {
            "get": {
                "operationId": "getDocs",
                "summary": "Read this document as a page",
                "description": "Everything that the page loads comes from here.",
                "tags": ["Description"],
                "security": [{}],
                "responses": {
                    "200": {
                        "description": "The page.",
                        "headers": answers.headers([]),
                        "content": {"text/html": {"schema": {"type": "string"}}},
                    },
                    "400": answers.problem(400),
                    "500": answers.problem(500),
                },
            }
        },
    }


def _health() -> Schema:
    alive = {
        "status": {"const": "ok"},
        "service": {"const": "order-service"},
        "timestamp": {"type": "string", "format": "date-time"},
    }
    word = {"enum": ["ok", "degraded", "unavailable"]}
    dependency = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": word, "detail": {"type": "string"}},
    }
    ready = {
        "status": word,
        "service": {"const": "order-service"},
        "dependencies": {"type": "object", "additionalProperties": dependency},
    }
    return {
        "/health": {
            "get": _tells(
                "getHealth",
                "Is the process alive?",
                "No dependency is asked.",
                {"200": ("It serves.", [])},
                alive,
            )
        },
        "/health/ready": {
            "get": _tells(
                "getReadiness",
                "Can it do its work?",
                "Each dependency by name. Without the database it is not ready; without the"
                " inventory, or a worker that keeps up, it is degraded. An instance that is about"
                " to stop names `process` alone, and is not ready.",
                {
                    "200": ("It can, or in part.", []),
                    "503": ("It can't.", ["Retry-After"]),
                },
                ready,
            )
        },
    }


def _tells(
    operation_id: str,
    summary: str,
    description: str,
    statuses: dict[str, tuple[str, list[str]]],
    properties: Schema,
) -> Schema:
    """Return a call for operators that answers the same object whatever its status."""
    shape = {"type": "object", "required": list(properties), "properties": properties}
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["Operations"],
        "security": [{}],
        "responses": {
            status: {
                "description": when,
                "headers": answers.headers(headers),
                "content": {"application/json": {"schema": shape}},
            }
            for status, (when, headers) in statuses.items()
        },
    }
