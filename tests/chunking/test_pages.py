"""The Python examples of the pages on chunking and enrichment run, and print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<told>.*?)```)?", re.DOTALL)
EXAMPLES = [
    (page, number, match["code"], match["told"])
    for page in ("chunking.md", "enrichment.md")
    for number, match in enumerate(EXAMPLE.finditer((DOCS / page).read_text(encoding="utf-8")), start=1)
]


def test_there_is_an_example_of_each_enrichment_that_has_one() -> None:
    assert len(EXAMPLES) >= 7
    code = "".join(code for _, _, code, _ in EXAMPLES)
    assert all(name in code for name in ("heading_path", "title", "keywords", "neighbours", "fields", "questions"))


@pytest.mark.parametrize(("page", "number", "code", "told"), EXAMPLES, ids=lambda value: str(value)[:20])
def test_an_example_prints_what_the_page_says(page: str, number: int, code: str, told: str | None) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"{page}, example {number}", "exec"), {})
    assert told is not None
    assert printed.getvalue() == told
