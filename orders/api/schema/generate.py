"""``python -m orders.api.schema.generate``: write ``docs/openapi.yaml`` as the code has it now."""

import copy
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import django
import yaml

FILE = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"

DESCRIPTION = """\
Orders of a shop: create them as a guest or signed in, follow them, and, as staff, move them on.

**Credentials.** `Authorization: Bearer …` with a token of `POST /api/auth/token`, or
`Authorization: Api-Key …` for services; the site's own session works too, with its CSRF token.

**Errors** are problems (RFC 9457): `code` is stable and for machines, `detail` is for people, and
`instance` is the request's id. All faults of a request are told at once.

**Money** is a string with two decimals in an answer. Times are in UTC.
"""

SETTINGS = {
    "TITLE": "Order service",
    "VERSION": "1.0.0",
    "DESCRIPTION": DESCRIPTION,
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "Where this document came from."}],
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": False,
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "orders.status.OrderStatus",
        "StockState": "orders.status.StockState",
    },
    "PREPROCESSING_HOOKS": ["orders.api.schema.generate.calls_alone"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orders.api.schema.generate.completed",
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Api-Key <key>`, of a service.",
            },
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "The site's session; unsafe calls need `X-CSRFToken`, too.",
            },
        }
    },
}

REQUEST_ID = {
    "description": "The request's id: its own `X-Request-ID` where that is sane.",
    "schema": {"type": "string"},
}


def schema() -> dict[str, Any]:
    """Return the document. Django must be set up."""
    from django.test.utils import override_settings  # noqa: PLC0415 - settings must be there first

    # They register themselves with the library.
    importlib.import_module("orders.api.schema.fields")
    importlib.import_module("orders.api.schema.operations")
    generators = importlib.import_module("drf_spectacular.generators")
    library = importlib.import_module("drf_spectacular.settings")
    django_settings = importlib.import_module("django.conf").settings
    rest = django_settings.REST_FRAMEWORK | {
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"
    }
    with override_settings(REST_FRAMEWORK=rest), library.patched_settings(SETTINGS):
        document: dict[str, Any] = generators.SchemaGenerator().get_schema(public=True)
    return document


def text() -> str:
    """Return the document as YAML."""
    return yaml.safe_dump(copy.deepcopy(schema()), sort_keys=False, allow_unicode=True, width=100)


def calls_alone(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Leave out what is no call, and the second path that each call has."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[3].cls.__name__ != "UnknownCall" and not endpoint[0].endswith("/")
    ]


def completed(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add what the library has no words for: links, the request's id on every answer, health."""
    operations = {
        operation["operationId"]: operation
        for path in result["paths"].values()
        for operation in path.values()
    }
    result["paths"] |= _health(result)
    for operation in operations.values():
        for answer in operation["responses"].values():
            answer.setdefault("headers", {})["X-Request-ID"] = REQUEST_ID
    created = operations["createOrder"]["responses"]["201"]
    created["links"] = {
        name: {"operationId": name, "parameters": {"order_id": "$response.body#/id"}}
        for name in ("getOrder", "setOrderStatus", "listOrderEvents")
    }
    operations["createToken"]["responses"]["200"]["links"] = {
        "refreshToken": {
            "operationId": "refreshToken",
            "requestBody": {"refresh": "$response.body#/refresh"},
        }
    }
    return result


def _health(result: dict[str, Any]) -> dict[str, Any]:
    """Return the calls that are no part of the API itself."""
    return {
        "/health": {
            "get": {
                "operationId": "getHealth",
                "summary": "Is the process alive?",
                "tags": ["Operations"],
                "security": [{}],
                "responses": {
                    "200": {
                        "description": "It serves. No dependency was asked.",
                        "headers": {"X-Request-ID": REQUEST_ID},
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["status", "service", "timestamp"],
                                    "properties": {
                                        "status": {"const": "ok"},
                                        "service": {"const": "order-service"},
                                        "timestamp": {"type": "string", "format": "date-time"},
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    }


def main() -> int:
    """Write the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")
    django.setup()
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
