"""Passwords that are hashed in no time: the tests make hundreds, and nobody is to guess them."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own with few rounds; our processes that a test starts can read what it writes."""

    iterations = 100
