"""The service goes on: while instances are replaced, without its database, between releases."""
