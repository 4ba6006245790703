from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from genaiops.evaluation.records import CaseResult, Git, Run, Scale, SentenceVerdict, Subject
from genaiops.evaluation.reports import html_report
from genaiops.evaluation.reports.html_cases import cut
from genaiops.evaluation.reports.rows import rows_of
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Citation,
    Evidence,
    Hit,
    NotApplicable,
    Query,
    Score,
    Summary,
    Unscored,
    Usage,
    Verdict,
)

TAGS_WE_WRITE = {
    *("html", "head", "meta", "title", "style", "script", "body", "main", "header", "section", "div", "span", "p"),
    *("h1", "h2", "h3", "strong", "b", "mark", "pre", "ul", "ol", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "line", "rect", "circle"),
    *("form", "input", "select", "option"),
}
URL_ATTRIBUTES = {"href", "src", "action", "formaction", "xlink:href", "srcset", "poster", "data", "background", "ping"}


def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def attribute(tag: Tag, name: str) -> str:
    return str(tag.get(name, ""))


def cases_in(page: str) -> list[Tag]:
    return list(parsed(page).select("details.case"))


def live_content(page: str) -> list[str]:
    """Whatever in the page could run, load or lead somewhere, or is not of our making."""
    found: list[str] = []
    for tag in parsed(page).find_all(True):
        if tag.name not in TAGS_WE_WRITE:
            found.append(f"<{tag.name}>")
        for name in tag.attrs:
            if name.startswith("on") or name in URL_ATTRIBUTES or name in ("style", "srcdoc"):
                found.append(f"{tag.name} {name}")
            if name == "http-equiv" and tag.attrs[name] != "Content-Security-Policy":
                found.append(f"meta {tag.attrs[name]}")
    return found


def payloads() -> list[str]:
    """A few hundred strings that ran in somebody's page."""
    script = ["alert(1)", "fetch('//evil.example')", "document.location='https://evil.example'"]
    shapes = [
        "<script>{}</script>",
        "</script><script>{}</script>",
        "<ScRiPt >{}</ScRiPt>",
        "<scr\x00ipt>{}</script>",
        "<img src=x onerror={}>",
        '<img src=x onerror="{}">',
        '"><img src=x onerror={}>',
        "'><svg onload={}>",
        "<svg><script>{}</script></svg>",
        "<svg/onload={}>",
        "</title><script>{}</script>",
        "</style><script>{}</script>",
        "</textarea><script>{}</script>",
        "</details></main><script>{}</script>",
        "<iframe srcdoc='<script>{}</script>'>",
        "<iframe src=javascript:{}>",
        '<a href="javascript:{}">x</a>',
        "<a href='java\tscript:{}'>x</a>",
        "<form action=javascript:{}><input type=submit>",
        "<body onload={}>",
        "<details open ontoggle={}>",
        '<math><mi//xlink:href="data:x,<script>{}</script>">',
        '<object data="javascript:{}">',
        '<embed src="//evil">',
        '<base href="//evil.example/">{}',
        '<meta http-equiv=refresh content="0;url=//evil">{}',
        "<link rel=stylesheet href=//evil.example>{}",
        "<style>@import '//evil.example';</style>{}",
        '" onmouseover="{}',
        "' onfocus='{}' x='",
        "` onclick=`{}`",
        'x" style="background:url(//evil)" y="{}',
        "<!-- --!><script>{}</script>",
        "--><script>{}</script>",
        "]]><script>{}</script>",
        "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;script&#62;{}&#60;/script&#62;",
        "\u202e<script>{}</script>\u202c",
        "\x1b[31m<script>{}</script>\x1b]8;;https://evil.example\x07x",
        "\ud800<script>{}</script>",
        "{}\u2028</script>",
        "<template><script>{}</script></template>",
        "<noscript><p title='</noscript><script>{}</script>'>",
        "<plaintext>{}",
        "<xmp>{}</xmp>",
        "<input autofocus onfocus={}>",
        "<video><source onerror={}>",
        "<marquee onstart={}>",
        '<svg><a xlink:href="javascript:{}"><text>x</text></a></svg>',
        "<svg><animate onbegin={} attributeName=x>",
        "=cmd|'/c {}'!A1",
        "::error::{}",
        "[x](javascript:{})",
        "![x](https://evil.example/{})",
    ]
    sinks = ["{}", "{} trailing words", "many words before {}"]
    return [sink.format(shape.replace("{}", code)) for shape in shapes for code in script for sink in sinks]


def poisoned(text: str) -> Run:
    """A run with `text` wherever data can stand."""
    evidence = (Evidence(text, text),)
    case = Case(text, text, "adversarial", text, evidence, (text,))
    chunk = Chunk(text, 0, len(text), text, text, text, {"title": text})
    answer = Answer(
        query=Query(text, text),
        text=text,
        refused=False,
        citations=(Citation(1, text, text, 0, len(text), text),),
        hits=(Hit(chunk, 1.0, 1),),
        usage=Usage(),
        cost_usd=None,
        seconds={text: 1.0},
        model=text,
        prompt=text,
        index=text,
    )
    results = (
        CaseResult(case, answer, "", {text: Score(0.1), text + "2": Unscored(text), text + "3": NotApplicable(text)}),
        CaseResult(replace(case, id=text + "2"), None, text, {text: Unscored(text)}),
    )
    return Run(
        id=text,
        created_at=text,
        subject=Subject(text, {text: text}, {text: text}),
        golden_set=text,
        golden_set_digest=text,
        results=results,
        summaries=(Summary(text, 0.1, 0.0, 0.2, 1, 1),),
        scales={text: Scale(True)},
        judges={text: text},
        versions={text: text},
        git=Git(text, True),
    )


class Strict(HTMLParser):
    """A second parser, so that the verdict does not hang on one."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.handlers += sum(name.startswith("on") for name, _ in attrs)


def test_nothing_from_data_is_live() -> None:
    tried = payloads()
    assert len(tried) > 300
    for text in tried:
        run = poisoned(text)
        page = html_report(run, baseline=run, variants=[run], verdict=Verdict("fail", (text,)))
        assert live_content(page) == [], text
        strict = Strict()
        strict.feed(page)
        assert (strict.scripts, strict.handlers) == (1, 0), text
        assert len(cases_in(page)) == 2, text


def test_the_checker_finds_what_is_live() -> None:
    page = html_report(poisoned("x")).replace(
        "<main>", "<main><img src=x onerror=alert(1)><a href='javascript:1'>x</a>"
    )
    assert live_content(page) == ["<img>", "img src", "img onerror", "<a>", "a href"]


def test_data_is_shown_as_it_is_written() -> None:
    text = "a < b && c > \"d\" 'e' <i>f</i>"
    page = parsed(html_report(poisoned(text)))
    answers = page.select("p.answer")
    assert answers[0].get_text() == text
    assert all(json.loads(attribute(case, "data-tags")) == [text] for case in page.select("details.case"))


def test_escapes_and_direction_overrides_are_taken_out(run: Run) -> None:
    page = html_report(poisoned("\x1b[31mred\x1b[0m \u202etext\u202c \x00\x07\ud800end"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)
    assert "red text end" in page
    page.encode("utf-8")


def test_the_policy_allows_no_load_and_one_script_by_its_digest(run: Run) -> None:
    page = parsed(html_report(run))
    (policy,) = page.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
    (script,) = page.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.get_text().encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in attribute(policy, "content").split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "innerHTML" not in script.get_text() and "eval" not in script.get_text()
    assert not re.search(r"https?://|@import|url\(", str(page))


def test_cases_without_an_answer_come_first_then_failures_then_the_weakest(run: Run) -> None:
    assert [row.result.case.id for row in rows_of(run)] == ["moon", "crane", "pilot", "fees"]
    assert [attribute(case, "data-state") for case in cases_in(html_report(run))] == [
        "error",
        "unscored",
        "weak",
        "good",
    ]


def test_against_a_baseline_regressions_come_before_all_but_missing_answers(run: Run, baseline: Run) -> None:
    states = [(row.result.case.id, row.state) for row in rows_of(run, baseline)]
    assert states == [("moon", "error"), ("pilot", "regressed"), ("crane", "unscored"), ("fees", "improved")]
    page = html_report(run, baseline=baseline)
    assert "−0.600" in page and "+0.400" in page
    change = parsed(page).select("tbody tr")[0].find_all("td")[-1]
    assert change.get_text().startswith("−0.100 (−") and attribute(change, "title").startswith("2 cases")


def test_a_measurement_that_got_lost_is_a_regression(run: Run) -> None:
    better = replace(run.results[2], outcomes={"groundedness": Score(0.9)})
    before = replace(run, results=(*run.results[:2], better, run.results[3]))
    assert {row.result.case.id: row.state for row in rows_of(run, before)}["crane"] == "regressed"


def test_a_failed_measurement_shows_its_reason_and_no_number(run: Run) -> None:
    text = cases_in(html_report(run))[1].get_text(" ")
    assert "failed: the judge is down" in text
    row = parsed(html_report(run)).select("tbody tr")[0].get_text(" ")
    assert "67 %" in row  # coverage 2 of 3: not in the mean, and not hidden


def test_citations_and_evidence_are_marked_in_the_hits(run: Run) -> None:
    page = parsed(html_report(run))
    marks = {mark.get_text(): attribute(mark, "title") for mark in page.find_all("mark")}
    assert marks["Fees are paid in cash."] == "cited"
    assert marks["Boats over 12 m need one."] == "evidence"


def test_unsupported_sentences_are_marked_in_the_answer(run: Run) -> None:
    notes = [SentenceVerdict(0, 5, 0.03, "unsupported", 0, 0, 5), SentenceVerdict(6, 26, 0.9, "supported", 0, 0, 5)]
    judged = tuple(
        replace(result, verdicts={"groundedness": tuple(notes)}) if result.case.id == "pilot" else result
        for result in run.results
    )
    page = parsed(html_report(replace(run, results=judged)))
    (marked,) = page.select(".unsupported")
    assert marked.get_text() == "Cats." and attribute(marked, "title") == "unsupported (0.03)"


@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive"])
def test_the_verdict_stands_first_with_every_reason(run: Run, kind: str) -> None:
    verdict = Verdict(kind, ("groundedness 0.55 < 0.80", "coverage 0.67 < 1.00"))  # type: ignore[arg-type]
    section = parsed(html_report(run, verdict=verdict)).select_one(f"section.verdict.{kind}")
    assert section is not None
    assert [item.get_text() for item in section.find_all("li")] == list(verdict.reasons)


def test_everything_needed_to_run_it_again_is_told(run: Run) -> None:
    text = parsed(html_report(run)).get_text(" ")
    for fact in (
        run.id,
        "d" * 64,
        "f" * 64,
        "e" * 64,
        "c" * 64,
        "abc1234 with uncommitted changes",
        "0.1.0",
        '"top_k": 6',
    ):
        assert fact in text


def test_variants_stand_side_by_side(run: Run, baseline: Run) -> None:
    page = parsed(html_report(run, variants=[baseline]))
    heading = next(h2 for h2 in page.find_all("h2") if h2.get_text() == "Variants")
    table = heading.find_next("table")
    assert table is not None and "0.550" in table.get_text(" ") and "0.650" in table.get_text(" ")


def test_plots_are_well_formed_pictures_inside_their_frame(run: Run, baseline: Run) -> None:
    plots = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html_report(run, baseline=baseline), re.S)]
    assert len(plots) == len(run.summaries)
    for plot in plots:
        # Not one inside the other: a browser would draw only the outermost.
        assert [mark.tag for mark in plot] == ["line"] * 3 + ["rect", "circle"] * 2
        assert all(0 <= float(mark.get("cx", 0)) <= float(plot.get("width", 0)) for mark in plot)
    bar, dot = plots[0][5], plots[0][6]
    assert float(bar.get("x", 0)) < float(dot.get("cx", 0)) < float(bar.get("x", 0)) + float(bar.get("width", 0))


def test_low_precision_alone_is_no_weakness(run: Run) -> None:
    fees = replace(run.results[0], outcomes={"groundedness": Score(0.9), "precision@6": Score(0.17)})
    assert [row.state for row in rows_of(replace(run, results=(fees,)))] == ["good"]


def test_an_empty_run_is_a_report_too(run: Run) -> None:
    page = html_report(replace(run, results=(), summaries=(), scales={}))
    assert "This run has no measures." in page and cases_in(page) == []


def test_overlapping_spans_lose_and_repeat_no_character() -> None:
    text = "abcdefgh"
    for spans in ([(2, 5, "x"), (4, 7, "y")], [(-3, 2, "x"), (6, 99, "y")], [(5, 2, "x")], [(0, 8, "x"), (3, 4, "y")]):
        assert "".join(piece for piece, _ in cut(text, spans)) == text


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the chromium browser")
def test_a_real_browser_runs_only_our_filter(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html_report(poisoned("</script><img src=x onerror=\"document.title='owned'\">")), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<title>owned" not in shown
    assert "2 of 2" in shown  # the filter counted the cases
