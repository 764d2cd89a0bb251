"""The control: an order service of the usual kind, by the book of Django and its REST framework.

A ``ModelViewSet`` with nested ``ModelSerializer``s over prefetched objects, indexes where they are
wanted, Django's own handling of connections, gunicorn's own workers, and a ``requests`` call for
whatever is asked of the inventory. It speaks our API as far as the benchmark goes, and is not safe:
it deducts without a memory of what it did.
"""
