"""Run Django's deployment checks on production settings, made up but complete."""

import os
import secrets
import subprocess
import sys


def main() -> int:
    """Return the exit code of ``check --deploy`` with any warning counting as a failure."""
    environment = os.environ | {
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "orders.example.com",
        "DATABASE_URL": "postgres://orders@localhost/orders",
        "INVENTORY_SERVICE_URL": "https://inventory.example.com/api/v1",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
