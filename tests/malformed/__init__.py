"""Requests that are wrong in every way that we know of, made systematically, and their judge."""
