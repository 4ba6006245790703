"""The Python of the page about documents runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "documents.md"


def test_the_python_of_the_page_reads_and_cleans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("no\u00a0break")
    (tmp_path / "docs/b.md").write_text("---\nstatus: draft\n---\ntext")
    monkeypatch.chdir(tmp_path)
    [block] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), scope)
    assert [d.text for d in scope["corpus"].documents] == ["no break"]
    assert [item.reason for item in scope["corpus"].quarantined] == ["is a draft"]
