"""The whole loop in a process of its own that may open no connection and resolve no name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.flow import workshop

GUARDED = """
import json, socket, sys
def watch(event, arguments):
    if event == "socket.connect" and arguments[0].family != socket.AF_UNIX or event in (
        "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"
    ):
        print("NETWORK", event, arguments[1:], file=sys.stderr)
        raise RuntimeError(f"network: {event}")
sys.addaudithook(watch)
try:
    socket.create_connection(("127.0.0.1", 9))
except RuntimeError as error:
    assert "network" in str(error)  # the guard works
from genaiops.cli import main
codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["genaiops", *arguments]
    try:
        main()
        codes.append(0)
    except SystemExit as leaving:
        codes.append(leaving.code or 0)
print("CODES", json.dumps(codes))
"""


def test_build_evaluate_gate_release_promote_and_ask_open_no_connection(tmp_path: Path) -> None:
    workshop.write(tmp_path)
    flow = "flows/workshop"
    ask = ["ask", flow, "What are loose hub bearings packed with?"]
    out, codes, err = guarded(
        tmp_path, [["build", flow], ["evaluate", flow], ["gate", flow], ["release", flow], ask, ["doctor"]]
    )
    assert codes == [0] * 6, err
    assert "lithium grease" in out
    (made,) = (tmp_path / ".genaiops" / "releases").glob("*.json")
    moves = [["promote", made.stem, "--to", name] for name in ("dev", "test", "prod")]
    _, codes, err = guarded(tmp_path, [*moves, ["status", "--json"], ["rollback", "prod"]])
    assert codes == [0, 0, 0, 0, 2], err  # nothing was in prod before


def guarded(folder: Path, commands: list[list[str]]) -> tuple[str, list[int], str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, json.dumps(commands)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "CODES" in done.stdout, done.stderr
    assert done.stderr.count("NETWORK") == 1, done.stderr  # the try of the guard itself
    return done.stdout, json.loads(done.stdout.rpartition("CODES")[2]), done.stderr
