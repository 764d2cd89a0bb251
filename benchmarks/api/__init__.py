"""The API under load, beside a service of the usual kind and beside PostgreSQL itself."""
