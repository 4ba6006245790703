"""What the page about cleansing shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from genaiops.cleansing.pii import KINDS
from genaiops.cleansing.pii.national_ids import NATIONAL_IDS
from genaiops.cleansing.quality import QualityBar
from genaiops.cleansing.settings import CleansingSettings

PAGE = (Path(__file__).parents[2] / "docs" / "cleansing.md").read_text(encoding="utf-8")


def test_the_example_prints_what_its_comments_say() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "docs/cleansing.md", "exec"), {})
    assert said.getvalue().splitlines() == re.findall(r"\)  # (.*)", code)


def test_every_kind_and_setting_is_told_of() -> None:
    names = [*KINDS, *NATIONAL_IDS, *CleansingSettings.model_fields, *QualityBar.model_fields]
    assert [name for name in names if name not in PAGE] == []
