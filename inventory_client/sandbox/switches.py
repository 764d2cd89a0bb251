"""What an operator or a test can turn while the sandbox runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(slots=True)
class Switches:
    """The standing conditions; plain attributes, as one thread sets what others only read."""

    down: Literal["", "reset", "503"] = ""
    latency_ms: int = 0
    race_window_ms: int = 3
    honours_idempotency: bool = False
    database_connected: bool = True

    def update(self, changes: dict[str, Any]) -> None:
        """Set the named switches, all or none; raises ValueError on an unknown name or value."""
        types = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in changes.items():
            if name not in types:
                raise ValueError(f"there is no switch {name}; there are {', '.join(types)}")
            if type(value) is not types[name]:
                raise ValueError(f"{name} must be of type {types[name].__name__}")
        if changes.get("down", "") not in ("", "reset", "503"):
            raise ValueError('down must be "", "reset" or "503"')
        if min(changes.get("latency_ms", 0), changes.get("race_window_ms", 0)) < 0:
            raise ValueError("milliseconds can't be below 0")
        for name, value in changes.items():
            setattr(self, name, value)
