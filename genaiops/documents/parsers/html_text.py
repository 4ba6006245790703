"""The visible text of an HTML page, as Markdown-like text. Runs in a child process; opens and fetches nothing.

Navigation and what else frames a page is left out where its structure says so. Headings
become `#` lines, items `- ` or `1. ` lines, table rows `| a | b |` lines, `pre` a fenced
block; links keep their text only. The tree is walked with a stack of our own, so that deep
nesting costs memory and no recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

_UNSEEN = frozenset({
    "script", "style", "template", "noscript", "head", "title", "meta", "link", "svg", "math", "iframe", "object",
    "embed", "canvas", "audio", "video", "map", "datalist", "select", "textarea", "dialog",
})  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "nav", "ol", "p",
    "section", "summary", "menu", "search", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_CONTENT = ("main", "article")
_SECTIONS = frozenset({"main", "article", "section"})
_FRAME = frozenset({"nav", "aside", "header", "footer", "form", "menu"})
# The names that pages give to plain elements for readers who listen to them.
_FRAME_ROLES = {
    "navigation": "nav", "complementary": "aside", "banner": "header", "contentinfo": "footer", "search": "nav",
    "main": "main", "article": "article",
}  # fmt: skip
_PROSE = (*_CONTENT, "section", "p", "table", "pre", "h1", "h2", "h3")
_INVISIBLE_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_LAYOUT = ("table", "ul", "ol", "pre", *_HEADINGS)
_SPACE = re.compile(r"[\s\u200b]+")
_TICKS = re.compile("`+")
_MAX_INDENT = 8  # levels of nested lists that are still shown by indentation


class Page(NamedTuple):
    title: str
    text: str


def read_page(source: str) -> Page:
    """The title and the visible text of a page."""
    soup = BeautifulSoup(source, "html.parser")
    title = soup.title.get_text() if soup.title else ""
    # A page that is nothing but frame is read whole.
    text = _Renderer(_frame_of(soup)).render(soup) or _Renderer(frozenset()).render(soup)
    return Page(_SPACE.sub(" ", title).strip(), text)


def _frame_of(soup: BeautifulSoup) -> frozenset[int]:
    """The elements around the content of a page, as the `id()` of each.

    Outside `main` and `article`: navigation, asides, forms that hold no prose, and the header and footer of the
    page, which are those in no section; a header that holds the page's only main heading is kept.
    """
    frame = set()
    stack: list[tuple[Tag, bool]] = [(soup, False)]  # an element, and whether it lies in a section
    headings = len(soup.find_all("h1", limit=2))
    while stack:
        tag, in_section = stack.pop()
        for child in tag.children:
            if not isinstance(child, Tag):
                continue
            kind = _FRAME_ROLES.get(str(child.get("role", "")), child.name)
            if kind in _CONTENT:
                continue
            if kind in _FRAME and _frames(child, kind, in_section=in_section, headings=headings):
                frame.add(id(child))
            else:
                stack.append((child, in_section or kind in _SECTIONS))
    return frozenset(frame)


def _frames(tag: Tag, kind: str, *, in_section: bool, headings: int) -> bool:
    """Whether an element outside the content frames it, rather than being a part of it."""
    if in_section and kind in ("header", "footer"):
        return False
    if kind == "form" and tag.find(_PROSE) is not None:
        return False
    if kind == "header" and headings == 1 and tag.find("h1") is not None:
        return False
    return not (tag.find(_CONTENT) or tag.find(None, {"role": "main"}))


class _Renderer:
    def __init__(self, frame: frozenset[int]) -> None:
        self._frame = frame
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[int | None] = []  # per open list: the last number given, None for bullets
        self._tight = False  # whether the next block follows its neighbour without an empty line

    def render(self, root: Tag) -> str:
        stack: list[tuple[Tag, Iterator[PageElement]]] = [(root, iter(root.children))]
        while stack:
            tag, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
                self._leave(tag)
            elif isinstance(child, Tag):
                if id(child) in self._frame:
                    self._flush()
                elif not _is_hidden(child) and self._enter(child):
                    stack.append((child, iter(child.children)))
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._line.append(str(child))
        self._flush()
        return "".join(self._blocks).strip("\n")

    def _enter(self, tag: Tag) -> bool:
        """Begin an element; False when all of it has been written."""
        name = tag.name
        if name == "br":
            self._line.append("\0")
        elif name == "pre":
            self._flush()
            code = tag.get_text().strip("\n")
            fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(code)), default=0))
            self._write_block(f"{fence}\n{code}\n{fence}")
            return False
        elif name == "tr" and not _is_layout(tag):
            self._flush()
            self._write_rows(tag)
            return False
        elif name in _HEADINGS:
            self._flush()
            self._prefix = _HEADINGS[name]
        elif name in ("ul", "ol"):
            self._flush()
            self._lists.append(0 if name == "ol" else None)
        elif name == "li":
            self._flush()
            self._prefix = self._marker()
        elif name in _BLOCKS:
            self._flush()
        return True

    def _leave(self, tag: Tag) -> None:
        if tag.name in ("ul", "ol"):
            self._flush()
            self._lists.pop()
            self._tight = self._tight and bool(self._lists)
        elif tag.name in _BLOCKS or tag.name in _HEADINGS or tag.name == "li":
            self._flush()
            # The heading or item may have been empty.
            self._prefix = ""

    def _marker(self) -> str:
        number = self._lists[-1] if self._lists else None
        indent = "  " * min(len(self._lists) - 1, _MAX_INDENT) if self._lists else ""
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _flush(self) -> None:
        """Write the inline text gathered so far as one block."""
        if not self._line:
            return
        text = _SPACE.sub(" ", "".join(self._line)).strip()
        self._line.clear()
        lines = [line.strip() for line in text.split("\0")]
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        if self._prefix.startswith("#"):
            text = text.replace("\n", " ")
        self._write_block(self._prefix + text, tight=bool(self._prefix) and self._prefix[0] != "#")
        self._prefix = ""

    def _write_block(self, text: str, *, tight: bool = False) -> None:
        """`tight` blocks, items and rows, stand on neighbouring lines."""
        self._blocks.append("\n" if self._tight and tight else "\n\n")
        self._blocks.append(text)
        self._tight = tight

    def _write_rows(self, tag: Tag) -> None:
        for number, cells in enumerate(_rows(tag)):
            line = f"| {' | '.join(cells)} |"
            if number == 0 and tag.find("th") is not None and tag.find_previous_sibling("tr") is None:
                self._tight = False
                line += "\n|" + " --- |" * len(cells)
            self._write_block(line, tight=True)


def _is_hidden(tag: Tag) -> bool:
    if tag.name in _UNSEEN or tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    style = tag.get("style")
    return isinstance(style, str) and _INVISIBLE_STYLE.search(style) is not None


def _is_layout(row: Tag) -> bool:
    """Whether a row only arranges blocks on a page, as tables once did."""
    return row.find(_LAYOUT) is not None


def _rows(row: Tag) -> Iterator[list[str]]:
    """The cells of a row, and of rows inside it: where end tags were left out, the parser nests what follows."""
    rows: list[list[list[str]]] = [[]]
    stack = [iter(row.children)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif isinstance(child, Tag):
            if _is_hidden(child):
                continue
            if child.name == "tr":
                rows.append([])
            elif child.name in ("td", "th"):
                rows[-1].append([])
            elif rows[-1] and (child.name == "br" or child.name in _BLOCKS):
                rows[-1][-1].append(" ")
            stack.append(iter(child.children))
        elif rows[-1] and isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            rows[-1][-1].append(str(child))
    for cells in rows:
        texts = [_SPACE.sub(" ", "".join(pieces)).strip().replace("|", "\\|") for pieces in cells]
        if any(texts):
            yield texts
