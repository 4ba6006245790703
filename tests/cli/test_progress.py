"""The progress bar: on a terminal with rate and time left, and nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys

_CHILD = """
import time
from genaiops.cli.output import progress
with progress("embedding", "texts") as shown:
    for done in range(0, 101, 20):
        shown(done, 200)
        time.sleep(0.15)
print("done")
"""


def test_a_terminal_shows_how_far_how_fast_and_how_long() -> None:
    ours, theirs = os.openpty()
    try:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
        child = subprocess.Popen([sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, stderr=theirs, env=environment)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the child has closed its end
                break
            if not piece:
                break
            shown += piece
        out, _ = child.communicate(timeout=30)
    finally:
        os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert out == b"done\n"
    rates = [int(found) for found in re.findall(r"(\d+) texts/s", text)]
    assert rates and 10 <= rates[-1] <= 200  # 20 texts each 0.15 s, on a machine that may be busy
    assert "80/200" in text
    assert re.search(r"0:00:\d\d", text)


def test_a_pipe_gets_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"done\n", b"")
