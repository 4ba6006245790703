"""Other libraries, measured in the same run in an environment of their own.

GENAIOPS_PEERS names its Python: one that has the packages which a script of `benchmarks/peer_scripts` imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VARIABLE = "GENAIOPS_PEERS"
SCRIPTS = Path(__file__).resolve().parent / "peer_scripts"
_LONGEST_S = 3600


class PeersAbsent(Exception):
    """There is no environment with the other libraries, or it lacks one of them."""


def run_peer(script: str, payload: Any) -> Any:
    """What `peer_scripts/<script>.py` makes of a JSON value, in a child process of the peers' Python.

    The script gets the path of the payload and the path to write its JSON answer to. Raises PeersAbsent when the
    variable is not set or a package is missing, and RuntimeError with the child's last words when it fails.
    """
    python = os.environ.get(VARIABLE, "")
    if not python:
        raise PeersAbsent(f"set {VARIABLE} to a Python that has the other libraries")
    with tempfile.TemporaryDirectory(prefix="genaiops-peers-") as name:
        given, made = Path(name) / "payload.json", Path(name) / "answer.json"
        given.write_text(json.dumps(payload), encoding="utf-8")
        # Nothing of ours on the path: the peers run with their own packages alone.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "passive", "HAYSTACK_TELEMETRY_ENABLED": "False"}
        command = [python, "-W", "ignore", str(SCRIPTS / f"{script}.py"), str(given), str(made)]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_LONGEST_S, check=False
            )
        except OSError as error:
            raise PeersAbsent(f"{VARIABLE} names no Python: {error.strerror}") from None
        if "ModuleNotFoundError" in done.stderr:
            raise PeersAbsent(done.stderr.strip().splitlines()[-1])
        if done.returncode:
            raise RuntimeError(f"{script} failed: {done.stderr.strip()[-2000:]}")
        print(done.stdout, end="", file=sys.stderr)
        return json.loads(made.read_text(encoding="utf-8"))
