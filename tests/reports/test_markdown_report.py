from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports import markdown_report
from genaiops.evaluation.reports.markdown import LIMIT, MARKER, plain
from genaiops.records import Score, Summary, Unscored, Verdict

PAYLOADS = (
    "::error file=a.py,line=1::owned",
    "::add-mask::x",
    "%0A::set-output name=a::b",
    "\n::warning::x",
    "::stop-commands::x",
    "a | b || c",
    "`code` ```\nfence",
    "</details><details open>",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden -->",
    "--> <script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "@maintainer please",
    "#1 closes",
    "fixes #12",
    "**bold** _it_ ~~no~~",
    "# heading",
    "- item\n- item",
    "> quote",
    "\\| \\` \\",
    "&lt;script&gt;",
    "\x1b[31mred\x1b[0m",
    "\x00\x07\x9b31m",
    "\u202ereversed",
    "a\r\nb\u2028c",
    "$e=mc^2$ $$x$$",
    "| --- |\n|---|",
    "***\n---\n===",
    "<https://evil.example>",
    "[^1]: note",
    "- [ ] task",
    ":tada:",
    "me@evil.example",
    "[a]: https://evil.example",
    "\ud800",
    "1. one",
    "javascript:alert(1)",
)


def tokens(text: str) -> list[tuple[str, str]]:
    """(type, content) of every Markdown token, inline ones too, as GitHub's dialect reads them."""
    parser = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
    found = []
    for token in parser.parse(text):
        found += [(inner.type, inner.content) for inner in (token.children or [token])]
    return found


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_data_is_one_piece_of_plain_text(payload: str) -> None:
    shown = plain(payload)
    assert "\n" not in shown
    assert {kind for kind, _ in tokens(f"| a |\n|---|\n| x {shown} y |")} <= {
        "table_open", "thead_open", "tr_open", "th_open", "text", "text_special", "th_close", "tr_close", "thead_close",
        "tbody_open", "td_open", "td_close", "tbody_close", "table_close",
    }  # fmt: skip
    assert not re.search(r"::|https?://|www\.|[@#|`<>]", re.sub(r"&#\d+;", "", shown))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_report_full_of_it_keeps_its_shape(run: Run, payload: str) -> None:
    case = replace(run.results[1].case, id=payload, question=payload)
    answer = run.results[1].answer
    assert answer is not None
    results = (
        CaseResult(case, replace(answer, text=payload), "", {payload: Score(0.1), "x": Unscored(payload)}),
        CaseResult(case, None, payload, {}),
    )
    summaries = (Summary(payload, 0.1, 0.0, 0.2, 1, 0),)
    subject = replace(run.subject, flow=payload)
    evil = replace(run, id=payload, created_at=payload, golden_set=payload, subject=subject, results=results)
    evil = replace(evil, summaries=summaries)
    harmless = replace(
        run,
        results=(replace(results[0], outcomes={"m": Score(0.1), "x": Unscored("y")}), replace(results[1], error="e")),
    )
    text = markdown_report(evil, verdict=Verdict("fail", (payload,)))
    like = markdown_report(
        replace(harmless, summaries=(replace(summaries[0], measure="m"),)), verdict=Verdict("fail", ("r",))
    )
    kinds = [kind for kind, _ in tokens(text) if kind not in ("text", "text_special")]
    assert kinds == [kind for kind, _ in tokens(like) if kind not in ("text", "text_special")]
    assert "::" not in text and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)


def test_the_text_reads_as_written_once_rendered() -> None:
    text = "a|b <c> *d* `e` [f](g) #1 @h ::i::"
    shown = "".join(content for kind, content in tokens(plain(text)) if kind in ("text", "text_special"))
    assert shown == text


def test_it_stays_below_the_limit_of_a_comment(run: Run) -> None:
    answer = run.results[1].answer
    assert answer is not None
    result = replace(run.results[1], answer=replace(answer, text="<|>" * 50_000))
    many = tuple(replace(result, case=replace(result.case, id=f"{n}" + "|" * 500)) for n in range(500))
    long = replace(run, results=many, summaries=tuple(replace(run.summaries[0], measure="|" * 900) for _ in range(300)))
    text = markdown_report(long, verdict=Verdict("fail", tuple("<" * 900 for _ in range(300))))
    assert 10_000 < len(text.encode()) <= LIMIT < 64_000
    assert text.startswith(MARKER) and "Run 2026" in text.splitlines()[-1]


def test_it_tells_verdict_measures_and_the_cases_to_look_at(run: Run) -> None:
    text = markdown_report(run, verdict=Verdict("inconclusive", ("needs about 40 more cases",)))
    assert "**Verdict: inconclusive**" in text and "needs about 40 more cases" in text
    assert "| groundedness | 0.550 | 0.200 to 0.900 | 67 % | 2 | 1 | 1 |" in text
    assert "no answer in 30 s" in text and "failed: the judge is down" in text and "groundedness 0.200" in text
    assert "How are fees paid" not in text  # a good case needs no look


def test_a_run_in_which_all_is_well_lists_no_case(run: Run) -> None:
    text = markdown_report(replace(run, results=run.results[:1]))
    assert "Cases to look at" not in text
