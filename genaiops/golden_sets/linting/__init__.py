"""What is wrong with a golden set, seen against the documents it quotes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from genaiops.display import counted
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.linting.coverage import imbalance, uncovered
from genaiops.golden_sets.linting.evidence import ambiguous_quotes, stale, unwinnable
from genaiops.golden_sets.linting.leaking import leaked
from genaiops.golden_sets.linting.problem import Ground, Problem
from genaiops.golden_sets.linting.questions import duplicates, near_duplicates, without_subject
from genaiops.golden_sets.pins import NO_PINS, Pins
from genaiops.golden_sets.similarity import Embed
from genaiops.records import Document

Check = Callable[[Ground], Iterator[Problem]]
CHECKS: dict[str, tuple[Check, ...]] = {  # code of a finding → what finds it
    "unwinnable": (unwinnable,),
    "stale": (stale,),
    "duplicate": (duplicates,),
    "near_duplicate": (near_duplicates,),
    "ambiguous": (ambiguous_quotes, without_subject),
    "leaked": (leaked,),
    "uncovered": (uncovered,),
    "imbalance": (imbalance,),
}
WRONG_SCORES = ("unwinnable", "duplicate")  # what an evaluation refuses, whatever else lint may say


def lint(
    golden: GoldenSet,
    documents: Iterable[Document],
    *,
    prompts: Mapping[str, str] | None = None,
    pins: Pins = NO_PINS,
    embed: Embed | None = None,
    ignore: Collection[str] = (),
) -> list[Problem]:
    """Every problem of a golden set, in the order of its cases; those of the whole set come last.

    `prompts` (name → text) are looked through for leaked cases, `pins` tell what was accepted, `embed` compares
    questions by meaning. Findings with a code in `ignore` are not looked for; ConfigurationError for unknown codes.
    """
    unknown = sorted(set(ignore) - set(CHECKS))
    if unknown:
        raise ConfigurationError(f"lint has no finding {unknown[0]!r}", remedy=f"codes are {', '.join(CHECKS)}")
    texts = {document.id: document.text for document in documents}
    ground = Ground(golden, texts, prompts or {}, pins, embed)
    return _found(ground, [code for code in CHECKS if code not in ignore])


def _found(ground: Ground, codes: Collection[str]) -> list[Problem]:
    golden = ground.golden
    found = [problem for code in codes for look in CHECKS[code] for problem in look(ground)]
    place = {case.id: number for number, case in enumerate(golden.cases)}
    found.sort(key=lambda problem: place.get(problem.case_id, len(place)))
    lines = golden.lines
    return [replace(problem, line=lines.get(problem.case_id)) for problem in found]


def check(golden: GoldenSet, documents: Iterable[Document]) -> None:
    """Raise one GoldenSetError that lists every error which makes all scores wrong; other findings pass."""
    ground = Ground(golden, {document.id: document.text for document in documents})
    errors = [problem for problem in _found(ground, WRONG_SCORES) if problem.severity == "error"]
    if errors:
        shown = [
            f"case {p.case_id}" + (f" (line {p.line})" if p.line else "") + f": {p.what}; {p.remedy}" for p in errors
        ]
        raise GoldenSetError(
            f"{counted(len(errors), 'problem')} in golden set {golden.name!r}",
            remedy="\n  ".join(shown),
        )


__all__ = ["CHECKS", "Ground", "Problem", "check", "lint"]
