"""What foreign rows have in common with cases, and what was lost between them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from genaiops.golden_sets.exchange.rows import text_in, texts_in
from genaiops.golden_sets.golden_set import case_of, line_of
from genaiops.golden_sets.json_lines import Row
from genaiops.records import Case, CaseKind, Evidence

Losses = Counter[str]  # what could not be kept → in how many rows or cases
OWN = "genaiops"  # the key of a format's metadata that holds what the format has no place for


@dataclass(frozen=True, slots=True)
class Item:
    """One row: `contexts` are texts that prove the answer, `documents` their ids as far as they are told, in order.

    `evidence` is given where the row told it whole; `kind` is "" where the row does not tell it.
    """

    question: str
    id: str = ""
    kind: str = ""
    reference: str = ""
    contexts: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    tags: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


def own(case: Case) -> dict[str, Any]:
    """What of a case goes into a format's metadata."""
    evidence = [{"document": item.document, "quote": item.quote} for item in case.evidence]
    more = {"forbidden": list(case.forbidden)} if case.forbidden else {}
    return {"id": case.id, "kind": case.kind, "evidence": evidence, "tags": list(case.tags), **more}


def from_own(data: Any, question: str, reference: str) -> Item | None:
    """The item whose metadata `own` wrote; None for any other metadata."""
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), str):
        return None
    pairs = [(row.get("document"), row.get("quote")) for row in _list(data, "evidence") if isinstance(row, Mapping)]
    evidence = tuple(Evidence(doc, quote) for doc, quote in pairs if isinstance(doc, str) and isinstance(quote, str))
    tags, forbidden = (tuple(t for t in _list(data, name) if isinstance(t, str)) for name in ("tags", "forbidden"))
    kind = str(data.get("kind", ""))
    return Item(question, data["id"], kind, reference, evidence=evidence, tags=tags, forbidden=forbidden)


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


class Fields:
    """A row that is read key by key; what nobody asked for is lost, and said so."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row
        self._read: set[str] = set()

    def value(self, *names: str) -> Any:
        """The first of these keys that holds something."""
        self._read.update(name for name in names if name in self._row)
        return next((self._row[name] for name in names if self._row.get(name) not in (None, "", [], {})), None)

    def text(self, *names: str) -> str:
        return text_in(self.value(*names))

    def texts(self, *names: str) -> tuple[str, ...]:
        return tuple(texts_in(self.value(*names)))

    def lose_rest(self, losses: Losses) -> None:
        for name, value in self._row.items():
            if name not in self._read and value not in (None, "", [], {}):
                losses[f"column {str(name)[:60]!r}"] += 1


def cases_of(items: Sequence[Item], texts: Mapping[str, str], form: str, kind: str, losses: Losses) -> list[Case]:
    """The items as cases: contexts become evidence where exactly one document holds them word for word.

    A row that does not tell its kind is of `kind`. Rows that can be no case, by the rules of a golden set's file, are
    left out and counted.
    """
    cases: dict[str, Case] = {}
    for item in items:
        told = item.kind if item.kind in get_args(CaseKind) else kind
        evidence = item.evidence or tuple(_located(item, texts, losses))
        reference = item.reference
        if told == "unanswerable" and (reference or evidence):
            losses["reference or context of a question that wants a refusal"] += 1
            reference, evidence = "", ()
        if not item.question:
            losses["row without a question (left out)"] += 1
            continue
        if told == "answerable" and not (reference or evidence):
            losses["row without an answer or a context that a document holds (left out; --kind unanswerable)"] += 1
            continue
        name = _name(item, form)
        evidence = tuple(dict.fromkeys(evidence))
        if name in cases:
            name = f"{name[:180].rstrip()}-{_short(item.question + reference)}"
        if name in cases:
            losses["row that came twice (left out)"] += 1
            continue
        case = Case(name, item.question, told, reference, evidence, item.tags, item.forbidden)  # type: ignore[arg-type]
        if _is_sound(case, losses):
            cases[name] = case
    return list(cases.values())


def _is_sound(case: Case, losses: Losses) -> bool:
    _, problems = case_of(Row(0, json.loads(line_of(case))))
    if problems:
        losses[f"row that can be no case (left out): {problems[0]}"] += 1
    return not problems


def _located(item: Item, texts: Mapping[str, str], losses: Losses) -> Iterable[Evidence]:
    hints = [*item.documents, *[""] * len(item.contexts)]
    for context, hint in zip(item.contexts, hints, strict=False):
        near = [name for name in texts if hint and (name == hint or name.endswith(f"#{hint}"))]
        holding = [name for name in near if context in texts[name]]
        holding = holding or [name for name, text in texts.items() if context in text]
        if len(holding) == 1:
            yield Evidence(holding[0], context)
        else:
            where = "several documents hold" if holding else "no document holds word for word"
            losses[f"context that {where}"] += 1


def _name(item: Item, form: str) -> str:
    """The row's id where it can be one, else one made of its question."""
    given = " ".join("".join(c if c.isprintable() else " " for c in item.id).split())[:200].rstrip()
    return given or f"{form}-{_short(item.question)}"


def _short(text: str) -> str:
    # Half a surrogate pair is found and left out later, when the row is a case.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:10]
