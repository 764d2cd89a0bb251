"""The environment that the tests run in; a plugin, because settings are read before any conftest.

``DATABASE_URL`` from outside wins, so that CI can run the same tests on another PostgreSQL.
"""

import os

os.environ["DEBUG"] = "1"
# Whatever a developer's .env names: a test empties its cache, sends mails, reports errors, and has
# a worker take its database's jobs.
for reached_by in (
    "CATALOG_SERVICE_URL",
    "EMAIL_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "REDIS_URL",
    "SENTRY_DSN",
    "WORKER_DATABASE_URL",
):
    os.environ[reached_by] = ""
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("SHOP_NAME", "Order desk")
