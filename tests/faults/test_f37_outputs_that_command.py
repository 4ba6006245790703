"""Row 37: spreadsheets, Markdown, workflow commands, terminals and XML readers obey nothing that data says."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from genaiops.evaluation.reports import (
    changed_cases,
    csv_report,
    json_report,
    junit_report,
    markdown_report,
    terminal_table,
)
from genaiops.records import Verdict, canonical_json
from tests.faults.build_children import LONG
from tests.reports.hostile import earlier, many_payloads, poisoned

COMMANDS = [
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "\n=1+1",
    "\x00=1+1",
    "\u200e=1+1",
    "|calc",
    "%0A=1",
    "::error file=a.py,line=1::owned",
    "::add-mask::x",
    "\n::set-output name=a::b",
    "##[error]owned",
    "</details><details open>",
    "<!-- genaiops report -->",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "```\nfence",
    "| a | b |\n|---|---|",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x1bPq\x1b\\",
    "[link=https://evil.example]x[/link]",
    "]]><failure/>",
    "\ud800\ufffe\uffff",
    "\x00\x01\x08\x0b\x0c\x0e\x1f",
    "\u202egnp.exe",
    "\u061ca\u200bb\xadc\ufeff\U000e0049\U000e007f",
    "\x1b]0;no end",
]
TEXTS = [*COMMANDS, *(many_payloads(2000)[::2] if LONG else many_payloads(60))]
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f"
    "\ud800-\udfff\ufffe\uffff]"
)


def verdict(text: str) -> Verdict:
    return Verdict("fail", (text,))


def test_no_cell_of_a_spreadsheet_is_a_formula() -> None:
    for text in TEXTS:
        cells = [cell for row in csv.reader(io.StringIO(csv_report(poisoned(text)), newline="")) for cell in row]
        for cell in cells:
            assert not re.match(r"[\s]*[=+\-@|%]|[\t\r\n]", cell), text
            assert not CONTROL.search(cell), text
        assert len(cells) % 9 == 0  # eight columns and one measure: nothing broke a row


def test_the_guard_leaves_what_is_no_formula() -> None:
    assert "'" not in csv_report(poisoned("plain words"))
    (_, _, first) = csv.reader(io.StringIO(csv_report(poisoned("=1")), newline=""))
    assert first[5] == "'=1" and first[-1] == "0.1"


@pytest.mark.parametrize("text", COMMANDS)
def test_markdown_keeps_its_shape_and_commands_nobody(text: str) -> None:
    def kinds(of: str) -> list[str]:
        run = poisoned(of)
        report = markdown_report(run, baseline=earlier(run), verdict=verdict(of), notes=(of,))
        assert "::" not in report and "##[" not in report and not CONTROL.search(report)
        found = [
            inner.type
            for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(report)
            for inner in (token.children or [token])
        ]
        return [kind for kind in found if kind not in ("text", "text_special", "softbreak")]

    assert kinds(text) == kinds("harmless")


def test_junit_stays_well_formed_whatever_it_holds() -> None:
    for text in TEXTS:
        report = junit_report(poisoned(text), verdict=verdict(text))
        root = ET.fromstring(report.encode())
        assert [len(suite.findall("testcase")) for suite in root] == [2, 1], text
        assert not CONTROL.search(report)


def test_a_terminal_gets_no_escape() -> None:
    for text in TEXTS:
        run = poisoned(text)
        out = io.StringIO()
        console = Console(file=out, width=200, color_system=None)
        for part in (terminal_table(run), terminal_table(run, baseline=earlier(run)), *changed_cases(run, worse(text))):
            console.print(part)
        assert not CONTROL.search(out.getvalue().replace("\r\n", "\n")), text


def worse(text: str):  # type: ignore[no-untyped-def]
    """A run before, in which the same cases had a better value, so that they are among those that changed."""
    run = poisoned(text)
    from genaiops.records import Score

    results = tuple(replace(result, outcomes={text: Score(0.9)}) for result in run.results)
    return earlier(replace(run, results=results))


def test_json_is_json_and_holds_the_data_as_it_was() -> None:
    for text in TEXTS:
        run = poisoned(text)
        data = json_report(run, baseline=earlier(run), verdict=verdict(text), notes=(text,))
        assert canonical_json(data)
        assert {case["question"] for case in data["cases"]} == {text}
