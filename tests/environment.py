"""The environment that the tests run in; a plugin, because settings are read before any conftest.

``DATABASE_URL`` from outside wins, so that CI can run the same tests on another PostgreSQL.
"""

import os

os.environ["DEBUG"] = "1"
os.environ["REDIS_URL"] = ""  # each test empties the cache, and a developer's Redis is no test's
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("SHOP_NAME", "Order desk")
