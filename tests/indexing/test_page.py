"""The examples of docs/indexing.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from genaiops.embedding import loading
from tests.flow import workshop

PAGE = Path(__file__).parents[2] / "docs" / "indexing.md"


def test_the_examples_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workshop.copy(tmp_path)
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(root)
    (root / "flows" / "handbook").symlink_to("workshop")
    # Measuring which precision is faster here takes longer than all the rest.
    monkeypatch.setitem(loading._CHOSEN, workshop.load(root / "flows" / "workshop").embedder.fingerprint, "fp32")
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    scope: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), scope)
    assert re.fullmatch(r"\d+ flat exact\n", capsys.readouterr().out)
