"""Which drafts are worth a reviewer's time."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genaiops.golden_sets.drafting.passages import Draft
from genaiops.golden_sets.drafting.templates import TEMPLATES
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.linting import CHECKS, Ground
from genaiops.golden_sets.linting.questions import names_something
from genaiops.golden_sets.similarity import SAME_MEANING, Embed, SimilarWords
from genaiops.records import Case, Chunk, Evidence
from genaiops.words import content_words

Search = Callable[[str], Sequence[Chunk]]  # a question → the chunks that the flow finds for it, the best first
SHORTEST_QUOTE = 25  # characters
SHORTEST_ROW = 9  # of a table's row: "| A | 1 |"
LONGEST_QUOTE = 500
LONGEST_QUESTION = 160
_BLAMED = ("unwinnable", "ambiguous", "leaked")  # what lint may not find in a draft
NEWS = 2  # content words of a reference that its question does not hold; of a shorter one all
TOLD_APART_BY = 3  # the best hits of two questions: where all are the same, retrieval cannot tell them apart
_ANAPHORA = re.compile(
    r"(?:It|Its|This|That|These|Those|They|Their|Such|Both|Here|There|He|She|Then|So|But|And|Or|Otherwise|Instead|Also|"
    r"Neither|Either|However|Therefore|Likewise|For example|For instance)\b"
)


@dataclass(slots=True)
class Choice:
    """The cases chosen, with what retrieval made of each, and why the others were not (reason → number).

    `over` counts the drafts that nothing was wrong with so far, but for which `limit` or `per_document` left no room.
    """

    cases: list[tuple[Case, str, str]] = field(default_factory=list)  # case, template, note
    left_out: Counter[str] = field(default_factory=Counter)
    over: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What was asked before: cases, proposals that wait, rejections."""

    cases: tuple[Case, ...]
    pending: tuple[Case, ...] = ()
    rejected: tuple[Case, ...] = ()

    @property
    def all(self) -> tuple[Case, ...]:
        return (*self.cases, *self.pending, *self.rejected)


def case_from(draft: Draft) -> Case:
    """The draft as a case. Its id is made of its document, template and words, so the same draft has the same id."""
    stem = re.sub(r"[^a-z0-9]+", "-", draft.document.rpartition("/")[2].rpartition(".")[0].lower()).strip("-")[:40]
    said = "\0".join((draft.document, draft.question, *draft.quotes))
    name = f"{stem or 'draft'}-{draft.template}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    evidence = tuple(Evidence(draft.document, quote) for quote in draft.quotes)
    tags = tuple(dict.fromkeys((stem, draft.template))) if stem else (draft.template,)
    return Case(name, draft.question, "answerable", draft.reference, evidence, tags)


def choose(
    drafts: Iterable[Draft],
    texts: Mapping[str, str],
    known: Known,
    *,
    limit: int,
    per_document: int,
    embed: Embed | None = None,
    search: Search | None = None,
) -> Choice:
    """At most `limit` drafts, and `per_document` of each document with those that wait.

    Documents without a case come first, then sections without one. Left out are drafts that are trivial, that lint
    would complain of, that ask again what was asked or rejected (by words and, with `embed`, by meaning), and with
    `search` those that the flow's retrieval cannot tell from another question.
    """
    choice = Choice()
    sound = list(_sound(drafts, texts, known, choice))
    ordered = _in_turn(sound, known)
    waiting = Counter(case.evidence[0].document for case in known.pending if case.evidence)
    asked = _Asked(known, embed)
    places = _Rankings(search, known)
    used: set[Evidence] = set()
    for draft in ordered:
        if len(choice.cases) >= limit or waiting[draft.document] >= per_document:
            choice.over += 1
            continue
        case = case_from(draft)
        if not used.isdisjoint(case.evidence) or asked.before(case):
            choice.left_out["asked before"] += 1
            continue
        note = places.note(case)
        if note is None:
            choice.left_out["cannot be told apart"] += 1
            continue
        asked.add(case)
        used.update(case.evidence)
        waiting[draft.document] += 1
        choice.cases.append((case, draft.template, note))
    return choice


def _sound(drafts: Iterable[Draft], texts: Mapping[str, str], known: Known, choice: Choice) -> Iterator[Draft]:
    """Those with a question, an answer and quotes that stand for themselves."""
    by_question: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if _trivial(draft, texts.get(draft.document, "")):
            choice.left_out["trivial"] += 1
        else:
            by_question[draft.question.casefold()].append(draft)
    single = {}
    for found in by_question.values():
        if len({draft.quotes for draft in found}) > 1:
            choice.left_out["several answers"] += len(found)
        else:
            single[case_from(found[0]).id] = found[0]
    if not single:
        return
    cases = tuple(case_from(draft) for draft in single.values())
    ground = Ground(GoldenSet("drafts", cases), texts)
    blamed = {p.case_id: code for code in _BLAMED for look in CHECKS[code] for p in look(ground)}
    choice.left_out.update(blamed.values())
    quoted = {(item.document, item.quote) for case in known.all for item in case.evidence}
    for name, draft in single.items():
        if name in blamed:
            continue
        if any(doc == draft.document and (q in quote or quote in q) for q in draft.quotes for doc, quote in quoted):
            choice.left_out["asked before"] += 1
            continue
        yield draft


def _trivial(draft: Draft, text: str) -> bool:
    question, reference = set(content_words(draft.question)), set(content_words(draft.reference))
    if not (12 <= len(draft.question) <= LONGEST_QUESTION) or not names_something(draft.question):
        return True
    shortest = SHORTEST_ROW if draft.template == "table" else SHORTEST_QUOTE
    if any(not shortest <= len(quote) <= LONGEST_QUOTE or text.count(quote) != 1 for quote in draft.quotes):
        return True
    if len(question) < 2 and "`" not in draft.question:
        return True
    return bool(_ANAPHORA.match(draft.quotes[0])) or len(reference - question) < max(1, min(NEWS, len(reference)))


def _in_turn(drafts: list[Draft], known: Known) -> Iterator[Draft]:
    """One draft of each document after the other, from those with the fewest cases on; new sections first."""
    cases = Counter(item.document for case in (*known.cases, *known.pending) for item in case.evidence)
    by_document: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_document[draft.document].append(draft)
    for name, found in by_document.items():
        seen: Counter[str] = Counter()
        turn = {}
        for draft in sorted(found, key=_rank):
            turn[id(draft)] = seen[draft.heading]
            seen[draft.heading] += 1
        by_document[name] = sorted(found, key=lambda draft: (turn[id(draft)], _rank(draft)))
    order = sorted(by_document, key=lambda name: (cases[name], name))
    for number in range(max(map(len, by_document.values()), default=0)):
        yield from (by_document[name][number] for name in order if number < len(by_document[name]))


def _rank(draft: Draft) -> int:
    return list(TEMPLATES).index(draft.template) if draft.template in TEMPLATES else -1


class _Asked:
    """Every question so far, by words and by meaning."""

    def __init__(self, known: Known, embed: Embed | None) -> None:
        self._words = SimilarWords((str(n), case.question) for n, case in enumerate(known.all))
        self._embed = embed
        questions = [case.question for case in known.all]
        self._vectors = [] if embed is None or not questions else list(embed(questions))

    def before(self, case: Case) -> bool:
        if self._words.of(case.question):
            return True
        if self._embed is None or not self._vectors:
            return False
        import numpy as np

        return bool((np.stack(self._vectors) @ self._embed([case.question])[0]).max() >= SAME_MEANING)

    def add(self, case: Case) -> None:
        self._words.add(case.id, case.question)
        if self._embed is not None:
            self._vectors.append(self._embed([case.question])[0])


class _Rankings:
    """What the flow's retrieval finds for each question."""

    def __init__(self, search: Search | None, known: Known) -> None:
        self._search = search
        self._tops: dict[tuple[str, ...], tuple[Evidence, ...]] = {}
        for case in (*known.cases, *known.pending) if search else ():
            self._tops.setdefault(self._top(case)[0], case.evidence)

    def note(self, case: Case) -> str | None:
        """Where the evidence stands among the hits, for the reviewer; None when another question has the same hits."""
        if self._search is None:
            return ""
        top, rank = self._top(case)
        if top and self._tops.setdefault(top, case.evidence) != case.evidence:
            return None
        return f"the flow finds it at rank {rank}" if rank else "the flow does not find it"

    def _top(self, case: Case) -> tuple[tuple[str, ...], int]:
        hits = self._search(case.question) if self._search else ()
        rank = next((n for n, hit in enumerate(hits, start=1) if _holds(hit, case)), 0)
        return tuple(hit.id for hit in hits[:TOLD_APART_BY]), rank


def _holds(chunk: Chunk, case: Case) -> bool:
    return any(chunk.document_id == item.document and item.quote in chunk.text for item in case.evidence)
