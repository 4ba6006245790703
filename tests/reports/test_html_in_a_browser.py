"""The report as a reader has it: in a real browser, with keyboard, filters, dark mode, paper and 2,000 cases."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from genaiops.evaluation.records import Failure, Run, SentenceVerdict
from genaiops.evaluation.reports import html_report
from genaiops.evaluation.reports.page import style
from tests.reports.browser import Browser, browser, needs_browser


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as tab:
        yield tab


@pytest.fixture
def page(run: Run, baseline: Run, tmp_path: Path) -> Path:
    notes = (SentenceVerdict(0, 5, 0.03, "contradicted", 0, 0, 22), SentenceVerdict(6, 21, 0.9, "supported", 0, 23, 48))
    pilot = replace(run.results[1], verdicts={"groundedness": notes}, failure=Failure("ranking", "at rank 9", "top_k"))
    judged = replace(run, results=(run.results[0], pilot, *run.results[2:]))
    file = tmp_path / "report.html"
    file.write_text(html_report(judged, baseline=baseline), encoding="utf-8")
    return file


def shown(tab: Browser) -> list[str]:
    """Ids of the cases to be seen, once the filter has worked."""
    tab.run("new Promise(done => setTimeout(done, 250))")
    found = tab.run(
        "[...document.querySelectorAll('details.case:not([hidden]) .inside > p:first-child')].map(p => p.textContent)"
    )
    return [str(text).removeprefix("Case ") for text in found]


def fill(tab: Browser, name: str, value: str) -> None:
    tab.run(
        f"(field => {{field.value = {value!r}; field.dispatchEvent(new Event('input', {{bubbles: true}}))}})"
        f"(document.querySelector('[name={name}]'))"
    )


@needs_browser
def test_cases_are_filtered_by_text_tag_kind_state_and_stage(tab: Browser, page: Path) -> None:
    tab.open(page)
    assert shown(tab) == ["moon", "pilot", "crane", "fees"]
    for name, value, left in (
        ("tag", "port", ["crane", "fees"]),
        ("kind", "unanswerable", ["moon"]),
        ("state", "regressed", ["pilot"]),
        ("stage", "ranking", ["pilot"]),
        ("text", "  CRANE ", ["crane"]),
        ("text", "no such words", []),
    ):
        fill(tab, name, value)
        assert shown(tab) == left, (name, value)
        assert tab.run("document.getElementById('shown').textContent") == f"{len(left)} of 4"
        fill(tab, name, "")
    fill(tab, "tag", "port")
    fill(tab, "kind", "adversarial")
    assert shown(tab) == ["crane"]  # filters join


@needs_browser
def test_the_keyboard_reaches_and_opens_everything(tab: Browser, page: Path) -> None:
    tab.open(page)
    tab.press("/", text="/")
    assert tab.run("document.activeElement.name") == "text"
    for _ in range(20):
        tab.press("Tab")
        if tab.run("document.activeElement.tagName") == "SUMMARY":
            break
    assert tab.run("document.activeElement.tagName") == "SUMMARY"
    tab.press("Tab")
    tab.press("Enter", text="\r")
    assert tab.run("document.querySelectorAll('details.case')[1].open") is True
    tab.press("Tab")
    assert tab.run("document.activeElement.classList.contains('ref')")  # from the sentence to its passage
    lit = tab.run("[...document.querySelectorAll('.lit')].map(item => item.textContent)")
    assert lit[0] == "Cats." and "Fees are paid in cash." in lit
    tab.press("Enter", text="\r")
    assert tab.run("document.querySelector(':target').nextElementSibling.textContent") == "Fees are paid in cash."


@needs_browser
def test_hovering_a_sentence_lights_its_passage_and_no_other(tab: Browser, page: Path) -> None:
    tab.open(page)
    tab.run("document.getElementById('open').click()")
    tab.run("document.querySelectorAll('.answer .said')[1].dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))")
    assert tab.run("[...document.querySelectorAll('mark.lit')].map(item => item.textContent)") == [
        "Boats over 12 m need one."
    ]
    assert tab.run("document.querySelectorAll('details.case[open]').length") == 4
    tab.run("document.getElementById('close').click()")
    assert tab.run("document.querySelectorAll('details.case[open]').length") == 0


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(tab: Browser, page: Path, width: int, dark: bool) -> None:
    tab.look(width=width, dark=dark)
    tab.open(page)
    tab.run("document.getElementById('open').click()")
    assert tab.run("document.documentElement.scrollWidth") <= width
    background = tab.run("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128
    assert light != dark


@needs_browser
def test_it_prints_on_paper_with_what_is_open(tab: Browser, page: Path) -> None:
    tab.look(width=1000, dark=True)
    tab.open(page)
    tab.run("document.querySelectorAll('details.case')[1].open = true")
    tab.ask("Emulation.setEmulatedMedia", media="")
    told = tab.ask("Page.printToPDF", printBackground=True)
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(base64.b64decode(told["data"]))).pages)
    words = re.sub(r"\s+", " ", text)
    assert "Who needs a pilot?" in words and "How are fees paid?" in words
    assert "Boats over 12 m need one." in words  # of the open case
    assert "Open all shown" not in words


@needs_browser
def test_two_thousand_cases_are_there_at_once_and_found(tab: Browser, run: Run, tmp_path: Path) -> None:
    many = tuple(
        replace(result, case=replace(result.case, id=f"{result.case.id}-{n}"))
        for n in range(500)
        for result in run.results
    )
    file = tmp_path / "many.html"
    file.write_text(html_report(replace(run, results=many)), encoding="utf-8")
    tab.look(width=1200)
    tab.open(file)
    assert tab.run("document.getElementById('shown').textContent") == "2000 of 2000"
    fill(tab, "text", "pilot-499")
    assert shown(tab) == ["pilot-499"]
    # Folded cases have no layout of their own: what the browser lays out does not grow with them.
    assert tab.run("document.querySelector('details.case:not([open]) .inside').getClientRects().length") == 0


# --- without a browser --------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` or `#rgb` (WCAG 2.2)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "paper"])
def test_every_text_stands_out_from_what_it_stands_on(theme: int) -> None:
    colours = dict(re.findall(r"--(\w+): (#\w+)", re.findall(r":root \{(.*?)\}", style(), re.S)[theme]))
    on = {
        "ink": ("paper", "card", "tint", "mark", "goodbg", "badbg", "warnbg"),
        "soft": ("paper", "card", "tint"),
        "accent": ("paper", "card"),
        "good": ("card", "goodbg"),
        "bad": ("card", "badbg", "tint"),
        "warn": ("card", "warnbg"),
    }
    weak = [(text, ground) for text, grounds in on.items() for ground in grounds
            if contrast(colours[text], colours[ground]) < 4.5]  # fmt: skip
    assert weak == []
