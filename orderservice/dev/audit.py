"""Ask for known vulnerabilities of what we depend on, and look at the workflows.

Fails when nobody can be asked: an auditor that reaches no advisories finds none, and says so as if
all were well. So it is first asked about a package that is known to be vulnerable.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from orderservice.environment import BASE_DIR

KNOWN_TO_BE_VULNERABLE = "django==2.2.0"
LOCK = BASE_DIR / "requirements.txt"
WORKFLOWS = BASE_DIR / ".github" / "workflows"
NOBODY = "audit: the advisory service can't be asked, so nothing is known of any package"

Findings = Mapping[str, list[str] | None]


def main(tools: Path) -> int:
    """Return 0 when nothing is found, 1 for a finding, 2 when something went unasked."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as control:
        control.write(f"{KNOWN_TO_BE_VULNERABLE}\n")
        control.flush()
        if not (findings(tools, Path(control.name)) or {}).get("django"):
            return _say(NOBODY, 2)
    found = findings(tools, LOCK)
    if found is None:
        return _say(NOBODY, 2)
    pinned = set(re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE))
    unasked = [name for name in sorted(pinned) if found.get(name) is None]
    vulnerable = {name: ids for name, ids in found.items() if ids}
    if unasked:
        return _say(f"audit: nothing is known of {', '.join(unasked)}", 2)
    for name, ids in vulnerable.items():
        _say(f"audit: {name} has {', '.join(ids or [])}", 1)
    if vulnerable:
        return 1
    if WORKFLOWS.is_dir():
        command = [str(tools / "zizmor"), "--offline", str(WORKFLOWS)]
        if subprocess.run(command, check=False).returncode:
            return _say("audit: zizmor finds fault with the workflows", 1)
    return _say(f"audit: {len(pinned)} packages, no known vulnerability", 0)


def findings(tools: Path, requirements: Path) -> Findings | None:
    """Return each package's advisories, None for one that was skipped; None when it went wrong."""
    command = [str(tools / "pip-audit"), "--disable-pip", "--no-deps", "--format", "json"]
    command += ["--progress-spinner", "off", "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
        return {
            package["name"]: None
            if "skip_reason" in package
            else [each["id"] for each in package["vulns"]]
            for package in packages
        }
    except (ValueError, KeyError, TypeError):
        sys.stderr.write("".join(done.stderr.splitlines(keepends=True)[-1:]))
        return None


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
