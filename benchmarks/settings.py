"""The service's settings, without development's aids, and with the control beside our own admin."""

from orderservice.settings import *  # noqa: F403 - the same settings, but for what follows

DEBUG = False
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.control"
