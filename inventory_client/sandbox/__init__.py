"""A local inventory service with the real one's semantics, its race and its faults on demand.

It answers for the catalogue too: what its products cost.
"""

from inventory_client.sandbox.server import Sandbox

__all__ = ["Sandbox"]
