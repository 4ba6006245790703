"""Strings that ran in somebody's page, runs that are full of them, and a check that nothing in a page is live."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

from bs4 import BeautifulSoup

from genaiops.evaluation.records import CaseResult, Failure, Git, Run, SentenceVerdict, Subject
from genaiops.evaluation.scale import Scale
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Citation,
    Evidence,
    Hit,
    NotApplicable,
    Outcome,
    Query,
    Score,
    Summary,
    Unscored,
    Usage,
)

CODE = ("alert(1)", "fetch('//evil.example')", "document.title='owned'")
SHAPES = (
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
)
SINKS = ("{}", "{} trailing words", "many words before {}")


def payloads() -> list[str]:
    """Every shape with every code: a few hundred."""
    shaped = (shape.replace("{}", code) for shape in SHAPES for code in CODE)
    return list(dict.fromkeys(sink.replace("{}", text) for text in shaped for sink in SINKS))


def _upper(text: str) -> str:
    return re.sub(r"<[/a-z]+", lambda tag: tag.group().upper(), text)


TWISTS = (
    _upper,
    lambda text: text.replace("<", "<\x00", 1),
    lambda text: text.replace(" ", "\t\n"),
    lambda text: text.replace("<", "\ufeff<"),
    lambda text: text.replace("<", "&lt;").replace("&lt;", "<", 1),
    lambda text: text.replace("=", " = "),
    lambda text: f'" {text} "',
    lambda text: f"' {text} '",
    lambda text: f"</span></p></details>{text}",
    lambda text: f"<!--{text}",
    lambda text: text.replace("script", "scr\u00adipt"),
    lambda text: text * 3,
)


def many_payloads(count: int) -> list[str]:
    """`count` different payloads: the plain ones first, then each twisted once, then twisted twice."""
    return list(itertools.islice(_endless(), count))


def _endless() -> Iterator[str]:
    seen = set()
    twists = [(), *((twist,) for twist in TWISTS), *itertools.product(TWISTS, TWISTS)]
    for chosen in twists:
        for text in payloads():
            for twist in chosen:
                text = twist(text)  # noqa: PLW2901  each twist works on what the one before made
            if text not in seen:
                seen.add(text)
                yield text


def poisoned(*texts: str) -> Run:
    """A run with each of `texts` wherever data can stand, two cases for each."""
    results = tuple(result for number, text in enumerate(texts) for result in _results(text, number))
    text = texts[0]
    return Run(
        id=text,
        created_at=text,
        subject=Subject(text, {text: text}, {text: [text, {text: text}], "prompt": text}),
        golden_set=text,
        golden_set_digest=text,
        results=results,
        summaries=tuple(Summary(name, 0.1, 0.0, 0.2, 1, 1) for name in dict.fromkeys(texts)),
        scales={name: Scale(True) for name in texts},
        judges={text: text},
        versions={text: text},
        git=Git(text, True),
    )


def _results(text: str, number: int) -> Iterator[CaseResult]:
    case = Case(f"{text}{number}", text, "adversarial", text, (Evidence(text, text),), (text,))
    chunk = Chunk(text, 0, len(text), text, text, text, {"title": text})
    half = max(1, len(text) // 2)
    answer = Answer(
        query=Query(text, text),
        text=text,
        refused=False,
        citations=(Citation(1, text, text, 0, half, text),),
        hits=(Hit(chunk, 1.0, 1),),
        usage=Usage(),
        cost_usd=None,
        seconds={text: 1.0},
        model=text,
        prompt=text,
        index=text,
    )
    said = (
        SentenceVerdict(0, half, 0.1, "contradicted", 0, 1, len(text)),
        SentenceVerdict(half, len(text), 0.2, "unsupported", 0, 0, half),
    )
    outcomes: dict[str, Outcome] = {text: Score(0.1), text + "2": Unscored(text), text + "3": NotApplicable(text)}
    yield CaseResult(case, answer, "", outcomes, {text: said}, Failure("retrieval", text, text))
    yield CaseResult(replace(case, id=case.id + "2"), None, text, {text: Unscored(text)})


def earlier(run: Run) -> Run:
    """A run before `run`, that answered otherwise and under other settings, with the same things in it."""
    results = tuple(
        replace(r, answer=replace(r.answer, text=f"before {r.answer.text} <b>") if r.answer else None)
        for r in run.results
    )
    settings = {**run.subject.settings, "prompt": f"another {run.subject.settings['prompt']} one"}
    subject = replace(run.subject, settings=settings)
    return replace(run, id=f"{run.id} before", results=results, subject=subject)


TAGS_WE_WRITE = {
    *("html", "head", "meta", "title", "style", "script", "body", "main", "header", "section", "div", "span", "p", "a"),
    *("h1", "h2", "h3", "strong", "b", "mark", "ins", "del", "pre", "ul", "ol", "li", "dl", "dt", "dd", "details"),
    *("summary", "table", "thead", "tbody", "tr", "th", "td", "svg", "line", "rect", "circle", "text"),
    *("form", "input", "select", "option", "button", "small"),
}  # fmt: skip
URL_ATTRIBUTES = {"src", "action", "formaction", "xlink:href", "srcset", "poster", "data", "background", "ping"}
OUR_PLACES = re.compile(r"#(?:c\d+-[es]\d+|cases)")  # where links in the page lead: counts of ours, nothing of data


def live_content(page: str) -> list[str]:
    """Whatever in the page could run, load or lead somewhere, or is not of our making."""
    found: list[str] = []
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name not in TAGS_WE_WRITE:
            found.append(f"<{tag.name}>")
        for name, value in tag.attrs.items():
            if name.startswith("on") or name in URL_ATTRIBUTES or name in ("style", "srcdoc"):
                found.append(f"{tag.name} {name}")
            if name == "href" and not (tag.name == "a" and OUR_PLACES.fullmatch(str(value))):
                found.append(f"{tag.name} href")
            if name == "http-equiv" and value != "Content-Security-Policy":
                found.append(f"meta {value}")
    return found


class Strict(HTMLParser):
    """A second parser, so that the verdict does not hang on one."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.handlers += sum(name.startswith("on") for name, _ in attrs)
