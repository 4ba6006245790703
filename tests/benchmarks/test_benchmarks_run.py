"""The benchmarks start and say what they need; what they measure is not tested here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GENAIOPS_DATA"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_startup_is_measured_against_its_limit_and_imports_nothing_heavy() -> None:
    done = run("benchmarks.startup", "--runs", "1")
    assert done.returncode == 0, done.stderr
    assert "≤ 1.5" in done.stdout
    assert "| heavy modules imported by `--help` | none | none | yes |" in done.stdout


def test_a_figure_without_its_data_says_what_to_set_and_exits_2() -> None:
    done = run("benchmarks.second_build")
    assert (done.returncode, done.stdout) == (2, "")
    assert "set GENAIOPS_DATA to the folder that holds corpora/azure_well_architected" in done.stderr
