"""How often a client may ask, counted once for all processes.

The counts are PostgreSQL's, one statement a request; where ``REDIS_URL`` is set they are Redis's,
and PostgreSQL's while that does not answer.
"""

from orders.throttling.counting import Taken, stale, take

__all__ = ["Taken", "stale", "take"]
