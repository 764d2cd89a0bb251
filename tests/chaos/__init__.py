"""The chaos proof: the service as deployed, its processes killed, its upstream at its worst.

``python -m tests.chaos --help`` runs it. What happened is judged by the inventory sandbox's own log
of effects, which is on its disk before it answers, and by the orders that customers were promised.
"""
