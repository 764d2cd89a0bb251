"""The REST API: translates HTTP to the lifecycle and back."""
