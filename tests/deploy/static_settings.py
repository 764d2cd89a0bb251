"""The settings, with static files in a folder of the test's own."""

import os
from pathlib import Path

from orderservice.settings import *  # noqa: F403 - these are those

STATIC_ROOT = Path(os.environ["TEST_STATIC_ROOT"])
