"""What is wrong with a golden set, seen against the documents it quotes."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from genaiops.errors import GoldenSetError
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.records import Case, Document, Evidence

NEAR_DUPLICATE = 0.8  # Jaccard similarity of two questions' words
ENOUGH_TO_JUDGE_BALANCE = 10  # cases
LEAST_REFUSALS = 0.05  # share of the cases
MOST_REFUSALS = 0.5
MOST_NAMES = 2000  # among which a similar one is looked for

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `case_id` is empty and `line` None for a finding about the whole set.

    An `error` makes scores wrong (evidence nobody can retrieve); a `warning` makes
    them weaker or harder to read.
    """

    case_id: str
    line: int | None
    what: str
    remedy: str
    severity: Literal["error", "warning"] = "error"


def lint(golden: GoldenSet, documents: Iterable[Document]) -> list[Problem]:
    """Every problem of a golden set, in the order of its cases; those of the whole set come last."""
    texts = {document.id: document.text for document in documents}
    twins = _similar_questions(golden)
    problems: list[Problem] = []
    for case in golden.cases:
        found = [p for evidence in case.evidence for p in _quote_problems(case, evidence, texts)]
        found += twins.get(case.id, [])
        problems += [Problem(p.case_id, golden.line(case.id), p.what, p.remedy, p.severity) for p in found]
    return [*problems, *_balance(golden)]


def check(golden: GoldenSet, documents: Iterable[Document]) -> None:
    """Raise one GoldenSetError that lists every error of `lint`; warnings pass."""
    errors = [problem for problem in lint(golden, documents) if problem.severity == "error"]
    if errors:
        shown = [
            f"case {p.case_id}" + (f" (line {p.line})" if p.line else "") + f": {p.what}; {p.remedy}" for p in errors
        ]
        raise GoldenSetError(
            f"{len(errors)} problem{'s' if len(errors) > 1 else ''} in golden set {golden.name!r}",
            remedy="\n  ".join(shown),
        )


# --- evidence -----------------------------------------------------------------


def _quote_problems(case: Case, evidence: Evidence, texts: Mapping[str, str]) -> Iterator[Problem]:
    quote, place = _shown(evidence.quote), evidence.document
    text = texts.get(place)
    if text is not None and evidence.quote in text:
        times = text.count(evidence.quote)
        if times > 1:
            what = f"{quote} occurs {times} times in {place}"
            yield Problem(case.id, None, what, "quote more of the text around it", "warning")
        return
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
    yield Problem(case.id, None, what, remedy)


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
    return f"but for case, whitespace or punctuation it stands on line {line}: {_shown(found[0])}"


def _shown(text: str, longest: int = 80) -> str:
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")


# --- questions ----------------------------------------------------------------


def _similar_questions(golden: GoldenSet) -> dict[str, list[Problem]]:
    """Case id → its duplicates among earlier cases.

    Two sets of words with Jaccard similarity of at least t share one of the first
    n - ceil(t·n) + 1 words when both are ordered by rarity (prefix filter: Chaudhuri,
    Ganti and Kaushik, ICDE 2006), so only few pairs are compared.
    """
    words = {case.id: frozenset(_words(case.question)) for case in golden.cases}
    frequency = Counter(word for found in words.values() for word in found)
    seen: dict[str, list[str]] = defaultdict(list)
    plain: dict[tuple[str, ...], str] = {}
    problems: dict[str, list[Problem]] = defaultdict(list)
    for case in golden.cases:
        mine = words[case.id]
        rarest = sorted(mine, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(mine) - math.ceil(NEAR_DUPLICATE * len(mine)) + 1]
        twin = plain.setdefault(tuple(_words(case.question)), case.id)
        if twin != case.id:
            what = f"asks the same question as case {twin!r}"
            problems[case.id].append(Problem(case.id, None, what, "drop one of them: it counts twice in every mean"))
        else:
            for other in dict.fromkeys(name for word in prefix for name in seen[word]):
                if len(mine & words[other]) >= NEAR_DUPLICATE * len(mine | words[other]):
                    what = f"asks almost the same question as case {other!r}"
                    problems[case.id].append(Problem(case.id, None, what, "keep both only if they differ", "warning"))
        for word in prefix:
            seen[word].append(case.id)
    return problems


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)] or [text.strip()]


def _balance(golden: GoldenSet) -> list[Problem]:
    if len(golden) < ENOUGH_TO_JUDGE_BALANCE:
        return []
    share = sum(not case.wants_answer for case in golden.cases) / len(golden)
    if share < LEAST_REFUSALS:
        what = f"{share:.0%} of the cases want a refusal, so invented answers hardly show"
        return [Problem("", None, what, "add questions that the documents do not answer", "warning")]
    if share > MOST_REFUSALS:
        what = f"{share:.0%} of the cases want a refusal, so a flow that answers nothing looks good"
        return [Problem("", None, what, "add questions that the documents answer", "warning")]
    return []
