"""Running a command as the shell would: the real `main`, in this process, with its exit code and what it printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genaiops.cli import main
from genaiops.testing import Reply, ScriptedModelServer


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a command with --json printed: one JSON value and nothing else."""
        assert self.code in (0, 1, 2, 3), self.err
        return json.loads(self.out)


Run = Callable[..., Result]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["genaiops", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run


def write(name: str, *rows: Any) -> str:
    """A file of JSON lines; returns its name."""
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


class Writer:
    """A model `writer` in models.yaml; `says` may be changed between two commands."""

    def __init__(self) -> None:
        self.says: str | Reply | Callable[[dict[str, Any]], str] = '{"cases": []}'
        self.server = ScriptedModelServer(self._reply)

    def _reply(self, body: dict[str, Any]) -> str | Reply:
        return self.says(body) if callable(self.says) else self.says
