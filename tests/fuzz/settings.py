"""The settings of the service that is fuzzed: the real ones, and passwords that cost nothing."""

from orderservice.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.hashing.QuickHasher"]
