"""How long we keep what nobody needs for ever, and why so long.

What is older is deleted by `manage.py prune`, and by the worker once a day. Sessions end at a time
of their own, and wrong sign-ins count for no longer than `orders.signin.lockout.COOL_OFF`.
"""

from datetime import timedelta

# A client that has lost its answer asks again within seconds; one whose queue stood still, within
# the day. The API promises so much.
IDEMPOTENCY_KEYS = timedelta(hours=24)

# The longest window that a rate may have: before its end the count is still asked for.
RATE_COUNTS = timedelta(days=1)

# A worker deletes each job as it ends. What is left was cancelled by hand, or run by something
# else; whoever wonders why looks within the week.
FINISHED_JOBS = timedelta(days=7)

# What each call got is of use beside the inventory's own log, in a dispute about a product's stock.
# What the call came to stands on the movement, which is kept for ever.
STOCK_ATTEMPTS = timedelta(days=90)
