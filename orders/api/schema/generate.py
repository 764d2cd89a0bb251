"""``python -m orders.api.schema.generate``: write ``docs/openapi.yaml`` as the code has it now."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import django
import yaml

from orders.status import Door, EventKind, OrderStatus, StockState

FILE = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"

DESCRIPTION = """\
Orders of a shop: create them as a guest or signed in, follow them, and, as staff, move them on.

**Credentials.** `Authorization: Bearer …` with a token of `POST /api/auth/token`, or
`Authorization: Api-Key …` for services. The site's own session works too; its unsafe calls need
its CSRF token.

**Errors** are problems (RFC 9457): `code` is stable and for machines, `detail` is for people, and
`instance` is the request's id. All faults of a request are told at once. A method that a path does
not have is answered with 405 and `Allow`; HEAD works wherever GET does.

**Money** is a string with two decimals in an answer. Times are in UTC.

**Rates.** Calls that are counted say what is left in `RateLimit`, also when they fail.
"""

SETTINGS = {
    "TITLE": "Order service",
    "VERSION": "1.0.0",
    "DESCRIPTION": DESCRIPTION,
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "Where this document came from."}],
    "TAGS": [
        {"name": "Orders", "description": "From the first to the last of an order."},
        {"name": "Sign-in", "description": "Tokens for people; services have API keys."},
        {"name": "Description", "description": "What you are reading."},
        {"name": "Operations", "description": "For those who run the service."},
    ],
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,  # what a PATCH must have it must have here, too
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # our words say what they mean
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        words.__name__: [(str(word), str(word)) for word in words]
        for words in (Door, EventKind, OrderStatus, StockState)
    },
    "PREPROCESSING_HOOKS": ["orders.api.schema.generate.calls_alone"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orders.api.schema.completing.completed",
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Api-Key <key>`, of a service.",
            },
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "`access` of `POST /api/auth/token`.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "The site's session.",
            },
            "csrf": {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": "The session's CSRF token.",
            },
        }
    },
}


class Dumper(yaml.SafeDumper):
    """Writes text of several lines as it reads, and repeats what stands twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never let one part stand for another."""
        return True


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else "")


Dumper.add_representer(str, _text)


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
    return yaml.dump(schema(), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def calls_alone(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Leave out what is no call, and the second path that each call has."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[3].cls.__name__ != "UnknownCall" and not endpoint[0].endswith("/")
    ]


def main() -> int:
    """Write the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")
    django.setup()
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
