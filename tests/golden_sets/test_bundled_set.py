"""The golden set of the handbook against the pages of the handbook, and the page on golden sets against the code."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from genaiops.golden_sets import CHECKS, GoldenSet, lint
from genaiops.records import Document

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXCLUDED = {"benchmarks.md", "reliability.md"}  # as in flows/handbook/flow.yaml


def test_the_handbooks_golden_set_has_no_error_and_quotes_each_sentence_once() -> None:
    documents = [
        Document(path.name, path.read_text(encoding="utf-8")) for path in DOCS.glob("*.md") if path.name not in EXCLUDED
    ]
    prompts = {path.stem: path.read_text() for path in (ROOT / "flows" / "handbook" / "prompts").glob("*.prompty")}
    golden = GoldenSet.load(ROOT / "eval_datasets" / "handbook")
    found = lint(golden, documents, prompts=prompts, ignore=["uncovered"])
    assert [problem for problem in found if problem.code != "near_duplicate"] == []


def test_the_page_names_every_code_and_its_python_prints_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "golden-sets.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \| (?:error|warning)", page, re.MULTILINE)) == set(CHECKS)
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
            exec(compile(block, "golden-sets.md", "exec"), {})
    parts, lost = printed.getvalue().splitlines()
    assert "'holdout': " in parts and "'kind': " in lost
