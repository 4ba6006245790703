"""Evidence that nobody can find, that changed under its quote, or that other documents hold too."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from genaiops.golden_sets.linting.problem import Ground, Problem, shown
from genaiops.golden_sets.sections import around
from genaiops.golden_sets.similarity import SimilarWords, plain_words
from genaiops.records import Case, Evidence
from genaiops.sentences import sentence_spans

MOST_NAMES = 2000  # among which a similar one is looked for
FEWEST_WORDS = 6  # different ones; shorter sentences are alike by chance

_WORD = re.compile(r"[^\W_]+")


def unwinnable(ground: Ground) -> Iterator[Problem]:
    """Quotes that their document does not hold, so that no retriever can earn them."""
    for case in ground.golden:
        for evidence in case.evidence:
            text = ground.texts.get(evidence.document)
            if text is None or evidence.quote not in text:
                yield _unwinnable(case, evidence, ground.texts)


def _unwinnable(case: Case, evidence: Evidence, texts: Mapping[str, str]) -> Problem:
    quote, place = shown(evidence.quote), evidence.document
    text = texts.get(place)
    elsewhere = [name for name, other in texts.items() if name != place and evidence.quote in other]
    if text is None:
        what = f"there is no document {place!r} among {len(texts)}"
        close = _closest(place, texts)
        remedy = f"did you mean {close!r}?" if close else "correct its path, relative to its source"
    else:
        what = f"{quote} does not occur in {place}"
        remedy = _near(evidence.quote, text) or "copy the quote from the document, character by character"
    if elsewhere:
        remedy = f"it occurs in {', '.join(elsewhere[:3])}"
    return Problem(case.id, None, what, remedy, code="unwinnable")


def _closest(place: str, names: Iterable[str]) -> str:
    """The id of a document that was moved, or whose name is almost this; "" when there is none."""
    names = list(names)
    moved = [name for name in names if name.rpartition("/")[2] == place.rpartition("/")[2]]
    # difflib takes 10 to 100 µs a name, for every quote of a document that is missing.
    close = difflib.get_close_matches(place, moved or names[:MOST_NAMES], n=1, cutoff=0.0 if moved else 0.6)
    return close[0] if close else ""


def _near(quote: str, text: str) -> str:
    """What the document says where only case, whitespace or punctuation differ; "" when it says nothing like it."""
    words = _WORD.findall(quote)
    if not words:
        return ""
    found = re.search(r"[\W_]+".join(map(re.escape, words)), text, re.IGNORECASE)
    if found is None:
        return ""
    line = text.count("\n", 0, found.start()) + 1
    return f"but for case, whitespace or punctuation it stands on line {line}: {shown(found[0])}"


def stale(ground: Ground) -> Iterator[Problem]:
    """Quotes that still occur, in a passage that changed after their case was accepted."""
    for case in ground.golden:
        pin = ground.pins.of(case)
        for evidence, quote in zip(case.evidence, pin.evidence if pin else (), strict=False):
            now = around(ground.texts.get(evidence.document, ""), evidence.quote)
            if pin and now and quote.around and now != quote.around:
                since = f" since {pin.accepted_at[:10]}" if pin.accepted_at else ""
                what = f"the passage around {shown(evidence.quote)} in {quote.document} changed{since}"
                remedy = f"see whether the reference still holds, then: genaiops golden lock FLOW --case {case.id}"
                yield Problem(case.id, None, what, remedy, "warning", "stale")


def ambiguous_quotes(ground: Ground) -> Iterator[Problem]:
    """Quotes that stand more than once, so that a hit which answers the question may earn nothing."""
    quotes = {(case.id, item): item.quote for case in ground.golden for item in case.evidence}
    elsewhere = _same_sentence(quotes, ground.texts)
    for case in ground.golden:
        for item in case.evidence:
            times = ground.texts.get(item.document, "").count(item.quote)
            if times > 1:
                what = f"{shown(item.quote)} occurs {times} times in {item.document}"
                yield Problem(case.id, None, what, "quote more of the text around it", "warning", "ambiguous")
            others = [name for name in elsewhere.get((case.id, item), ()) if name not in _documents(case)]
            if others and times:
                what = f"{shown(item.quote)} stands, word for word or almost, in {_some(others)} too"
                remedy = "quote that document as well, or ask for what only one of them says"
                yield Problem(case.id, None, what, remedy, "warning", "ambiguous")


def _documents(case: Case) -> set[str]:
    return {item.document for item in case.evidence}


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _same_sentence(
    quotes: Mapping[tuple[str, Evidence], str], texts: Mapping[str, str]
) -> dict[tuple[str, Evidence], list[str]]:
    """(case id, evidence) → the other documents with a sentence of almost the same words."""
    long = [(key, quote) for key, quote in quotes.items() if len(set(plain_words(quote))) >= FEWEST_WORDS]
    numbered = {str(number): key for number, (key, _) in enumerate(long)}
    index = SimilarWords((name, quotes[key]) for name, key in numbered.items())
    found: dict[tuple[str, Evidence], dict[str, None]] = defaultdict(dict)
    for document, text in texts.items() if long else ():
        for start, end in sentence_spans(text):
            for name in index.of(text[start:end]):
                key = numbered[name]
                if key[1].document != document:
                    found[key][document] = None
    return {key: list(names) for key, names in found.items()}
