from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from genaiops.evaluation.records import CaseResult, Failure, Run
from genaiops.evaluation.reports import markdown_report
from genaiops.evaluation.reports.markdown import COMMENT, MARKER, STEP_SUMMARY, plain
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
    assert 10_000 < len(text.encode()) <= COMMENT < 64_000
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


def test_a_step_summary_holds_every_case_and_stays_below_its_limit(run: Run) -> None:
    answer = run.results[1].answer
    assert answer is not None
    many = tuple(replace(run.results[1], case=replace(run.results[1].case, id=f"case{n}")) for n in range(300))
    long = replace(run, results=many)
    assert "case299" not in markdown_report(long) and "case299" in markdown_report(long, limit=STEP_SUMMARY)
    huge = replace(run, results=tuple(replace(r, answer=replace(answer, text="<|>" * 500)) for r in many * 10))
    assert 900_000 < len(markdown_report(huge, limit=STEP_SUMMARY).encode()) <= STEP_SUMMARY < 1024**2


def test_what_got_worst_comes_first_with_both_answers(run: Run, baseline: Run) -> None:
    pilot = baseline.results[1]
    assert pilot.answer is not None
    before = replace(pilot, answer=replace(pilot.answer, text="Boats over 12 m need one."))
    text = markdown_report(run, baseline=replace(baseline, results=(baseline.results[0], before)))
    assert text.index("How far is the moon") < text.index("Who needs a pilot") < text.index("the crane lift")
    told = [line.strip() for line in text[text.index("Who needs a pilot") :].splitlines()[1:4]]
    assert told[0] == "- before: Boats over 12 m need one."
    assert told[1].startswith("- now: Cats") and told[2] == "- groundedness −0.600"
    assert "| −0.100 (−" in text and "| not shown |" in text


def test_where_answers_were_lost_and_what_was_different_is_told(run: Run, baseline: Run) -> None:
    lost = replace(run.results[1], failure=Failure("ranking", "at rank 9", "retrieval.top_k"))
    changed = replace(run, results=(run.results[0], lost), seed=7)
    text = markdown_report(changed, baseline=baseline)
    assert "Where answers were lost: 1 ranked out." in text and "ranked out: at rank 9" in text
    assert "- seed: 0 → 7" in text


def test_an_open_end_of_an_interval_is_told_in_words(run: Run) -> None:
    open_ended = replace(run, summaries=(Summary("latency_s", 0.25, 0.2, None, 3, 0),))
    assert "| 0.2 to no bound |" in markdown_report(open_ended)
