"""What frames a page is left out where its structure says so, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genaiops.documents.parsers.html_text import read_page

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_word_marked_to_stay_stays_and_no_other(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    text = read_page(source).text
    words = re.findall(r"\b(?:KEEP|DROP)-[\w-]*\w", source)
    assert len(words) >= 4
    assert [word for word in words if word in text] == [word for word in words if word.startswith("KEEP")]


def test_tables_and_code_of_the_content_keep_their_form() -> None:
    text = read_page((PAGES[0].parent / "documentation_site.html").read_text(encoding="utf-8")).text
    assert "| KEEP-column |\n| --- |\n| KEEP-cell |" in text
    assert "```\nKEEP-block --flag\n```" in text
    assert "# KEEP-heading\n" in text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<nav>a</nav>b", "b"),
        ("<header>a</header>b", "b"),
        ("<header><h1>a</h1></header>b", "# a\n\nb"),
        ("<footer>a", "a"),
        ("<p>x<form>a</form>b", "x\n\nb"),
        ("<form><pre>a</pre></form>b", "```\na\n```\n\nb"),
        ("<div role=' navigation'>a</div>b", "a\n\nb"),
        ("<nav><article>a</article></nav>b", "a\n\nb"),
    ],
)
def test_small_pages(source: str, text: str) -> None:
    assert read_page(source).text == text
