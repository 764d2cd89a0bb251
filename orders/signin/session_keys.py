"""Sessions in the database, as Django's own; a key that nobody was given is none.

Django asks the database for whatever a cookie says, and PostgreSQL can't be asked for a NUL, which
a cookie may write as ``\\000``.
"""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[0-9a-z]{32}")  # as Django makes them


class SessionStore(db.SessionStore):
    """A session, empty where the key is none; its name goes into the salt of what is stored."""

    def __init__(self, session_key: str | None = None) -> None:
        is_one = session_key is not None and _KEY.fullmatch(session_key)
        super().__init__(session_key if is_one else None)
