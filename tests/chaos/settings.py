"""The settings of the processes in a chaos run: the real ones, and the app that installs steps."""

from orderservice.settings import *  # noqa: F403
from orderservice.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]
MIDDLEWARE = ["tests.chaos.child.BeforeAcknowledging", *MIDDLEWARE]
