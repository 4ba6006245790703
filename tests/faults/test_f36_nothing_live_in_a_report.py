"""Row 36: whatever questions, answers, titles, names and settings hold, nothing of it is live in a page of ours."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup

from genaiops.evaluation.reports import html_report
from genaiops.evaluation.reports.notebook import run_html, verdict_html
from genaiops.records import Verdict
from tests.faults.build_children import LONG
from tests.reports.browser import browser, needs_browser
from tests.reports.hostile import Strict, earlier, live_content, many_payloads, payloads, poisoned

PAYLOADS = many_payloads(5000) if LONG else payloads()[::3]
A_PAGE = 25
PAGES = [tuple(PAYLOADS[start : start + A_PAGE]) for start in range(0, len(PAYLOADS), A_PAGE)]


def report_of(texts: tuple[str, ...]) -> str:
    run = poisoned(*texts)
    return html_report(run, baseline=earlier(run), variants=[run], verdict=Verdict("fail", texts), notes=texts)


def test_there_are_as_many_payloads_as_promised() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= (5000 if LONG else 150)


def test_two_parsers_find_nothing_live_in_any_report() -> None:
    for texts in PAGES:
        page = report_of(texts)
        assert live_content(page) == [], texts
        strict = Strict()
        strict.feed(page)
        assert (strict.scripts, strict.handlers) == (1, 0), texts
        assert page.count('<details class="case"') == 2 * len(texts)


def test_a_notebook_shows_tables_and_nothing_live() -> None:
    for texts in PAGES:
        run = poisoned(*texts)
        for part in (run_html(run), verdict_html(Verdict("fail", texts))):
            found = BeautifulSoup(part, "html.parser").find_all(True)
            assert {tag.name for tag in found} <= {
                "div", "p", "b", "small", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
            }  # fmt: skip
            assert not any(tag.attrs for tag in found)


@needs_browser
def test_a_browser_runs_and_loads_nothing_of_it(tmp_path: Path) -> None:
    """Every case opened, every pair hovered, every field used: no dialog, no request, no title but ours."""
    page = tmp_path / "report.html"
    with browser() as tab:
        for texts in PAGES if LONG else (PAGES[0], PAGES[-1]):
            page.write_text(report_of(texts), encoding="utf-8")
            tab.open(page)
            title = tab.run("document.title")
            tab.run(
                "document.getElementById('open').click();"
                "for (const item of document.querySelectorAll('main *'))"
                " for (const kind of ['load', 'error', 'toggle', 'mouseenter', 'focus', 'begin'])"
                "  item.dispatchEvent(new Event(kind));"
                "for (const item of document.querySelectorAll('[data-pair]'))"
                " for (const kind of ['mouseover', 'focusin', 'click'])"
                "  item.dispatchEvent(new Event(kind, {bubbles: true}));"
                "const field = document.querySelector('input[name=text]'); field.value = 'words';"
                "field.dispatchEvent(new Event('input', {bubbles: true}));"
                "new Promise(done => setTimeout(done, 200))"
            )
            assert tab.dialogs == []
            assert tab.requests == [page.as_uri()]
            assert tab.run("document.title") == title != "owned"
            assert tab.run("document.querySelectorAll('script, iframe, object, embed, img, link, base').length") == 1
            refused = [params["entry"]["text"] for method, params in tab.events if method == "Log.entryAdded"]
            assert refused == []  # the policy had nothing to refuse: it never came so far
