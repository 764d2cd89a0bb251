"""What the API says of itself: OpenAPI 3.1, made from the code while it is developed.

The service serves ``docs/openapi.yaml`` and imports nothing of this package; ``make schema`` writes
the file, and a test keeps it equal to what this package makes of the code.
"""
