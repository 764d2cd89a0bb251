"""``/api/schema`` and ``/api/docs``: the API's description, as a document and as a page to read."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from csp.constants import SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from orders.api.problems import read_only
from orderservice.content_security import FILES, NOTHING
from orderservice.environment import BASE_DIR

FILE = Path(BASE_DIR) / "docs" / "openapi.yaml"
YAML = "application/yaml"  # RFC 9512

# Swagger UI draws its icons from data: addresses.
PAGE_POLICY = NOTHING | {
    "connect-src": [SELF],
    "img-src": [*FILES, "data:"],
    "script-src": FILES,
    "style-src": FILES,
}


@read_only
def schema(request: HttpRequest) -> HttpResponse:
    """Send the OpenAPI document: JSON, or YAML to whoever would rather have that."""
    wanted = request.get_preferred_type(["application/json", YAML])
    if wanted == YAML:
        response = HttpResponse(FILE.read_bytes(), content_type=YAML)
    else:
        response = JsonResponse(_document())
    response["Cache-Control"] = "public, max-age=300"
    patch_vary_headers(response, ["Accept"])
    return response


@read_only
@csp(PAGE_POLICY)
def page(request: HttpRequest) -> HttpResponse:
    """Show the document; everything that the page loads comes from this service."""
    return render(request, "orders/api_docs.html")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document
