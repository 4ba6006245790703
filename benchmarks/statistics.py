"""How often the statistics err, by simulation on recorded scores and on made-up ones.

python -m benchmarks.statistics [ROUNDS]           4,000 rounds of everything unless told otherwise
python -m benchmarks.statistics record RUN RUN     writes the recorded scores again, from two folders of runs

The recorded scores (tests/data/recorded_scores.json, figures only) are two runs of the bundled flow that differ in
one setting. A simulated golden set draws documents from them with replacement, each with all of its cases; a
simulated A/A comparison gives the two scores of a document's cases to the two sides by a throw of a coin, so that
the sides differ by chance alone and cases of one document hang together as they do in truth.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import Figure, Report, Table, markdown
from genaiops.evaluation.records import Run
from genaiops.evaluation.scale import Scale
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics import mean_interval, paired_difference, quantile_interval
from genaiops.evaluation.statistics.sequential import Race
from genaiops.promotion.demands import Pairs
from genaiops.promotion.gate import GateSettings
from genaiops.promotion.rules import failed

RECORDED = Path(__file__).parents[1] / "tests" / "data" / "recorded_scores.json"
Scores = NDArray[np.float64]
ROUNDS = 4000
SIZES = (20, 50, 200)
UNIT = Scale(unit_interval=True)


@dataclass(frozen=True)
class Recorded:
    """Two runs by measure: the scores of every document's cases in both, a [cases, 2] array for each document."""

    measures: dict[str, list[Scores]]

    @property
    def names(self) -> list[str]:
        return list(self.measures)


@cache
def recorded() -> Recorded:
    data = json.loads(RECORDED.read_text(encoding="utf-8"))
    documents = np.asarray(data["documents"])
    measures = {}
    for name, (first, second) in data["measures"].items():
        pairs = np.array([first, second], dtype=np.float64).T  # null, where a run has no value, becomes nan
        rows = [pairs[documents == d] for d in np.unique(documents)]
        kept = [row[~np.isnan(row).any(axis=1)] for row in rows]
        measures[name] = [row for row in kept if len(row)]
    return Recorded(measures)


def drawn(documents: Sequence[Scores], cases: int, chance: np.random.Generator) -> tuple[Scores, list[int]]:
    """About `cases` cases of documents drawn with replacement: scores [n, 2], and the document of each case."""
    each = sum(map(len, documents)) / len(documents)
    picked = chance.integers(0, len(documents), max(2, round(cases / each)))
    clusters = [number for number, d in enumerate(picked) for _ in range(len(documents[d]))]
    return np.concatenate([documents[d] for d in picked]), clusters


def swapped(pairs: Scores, clusters: Sequence[int], chance: np.random.Generator) -> Scores:
    """The two columns exchanged for about half of the documents."""
    coin = chance.random(max(clusters) + 1) < 0.5
    turned: Scores = np.where(coin[list(clusters)][:, None], pairs[:, ::-1], pairs)
    return turned


def demand(pairs: Scores, clusters: Sequence[int], margin: float, *, clustered: bool = True) -> Pairs:
    """`not_worse_than: champion` on simulated pairs (mine, theirs)."""
    ids = [str(n) for n in range(len(clusters))]
    scored = tuple((i, float(mine), float(theirs)) for i, (mine, theirs) in zip(ids, pairs, strict=True))
    documents = {i: str(c) for i, c in zip(ids, clusters, strict=True)} if clustered else None
    return Pairs(scored, (), UNIT, margin, 0, documents)


def gate(rules: int, **settings: str) -> GateSettings:
    """A gate of so many comparisons; which measures they name plays no part here."""
    wanted = tuple({"measure": f"m{n}", "not_worse_than": "champion", "margin": 0.05} for n in range(rules))
    return GateSettings.model_validate({"rules": wanted, **settings})


def false_failures(
    rounds: int, cases: int, *, names: Sequence[str], margin: float, family: str = "holm", clustered: bool = True
) -> float:
    """Share of A/A comparisons in which a gate with a rule for each of the measures fails."""
    chance = np.random.default_rng([cases, len(names)])
    judged = gate(len(names), family=family)
    wrong = 0
    for _ in range(rounds):
        demands = []
        for name in names:
            pairs, clusters = drawn(recorded().measures[name], cases, chance)
            demands.append(demand(swapped(pairs, clusters, chance), clusters, margin, clustered=clustered))
        wrong += any(fails for fails, _ in failed(judged, demands))
    return wrong / rounds


def caught_drops(rounds: int, cases: int, *, name: str, rules: int = 1, margin: float = 0.05) -> float | None:
    """Share of planted drops of margin plus detectable difference that fail; None when no drop is detectable.

    The detectable difference is what the gate prints for the comparison before the drop.
    The drop is planted by answers that break: a case's score becomes 0, by chance.
    """
    chance = np.random.default_rng([cases, rules, len(name)])
    caught, tried = 0, 0
    level = 1 - 0.05 / rules
    for _ in range(rounds):
        pairs, clusters = drawn(recorded().measures[name], cases, chance)
        pairs = swapped(pairs, clusters, chance)
        beyond = demand(pairs, clusters, margin).detectable(level)
        mean = pairs[:, 0].mean()
        # From here on the two sides are equal in truth, not only in the mean seen.
        share = (margin + (beyond or 0.0)) / mean if mean else 2.0
        if beyond is None or share > 1:
            continue
        pairs[:, 0] = np.where(chance.random(len(pairs)) < share, 0.0, pairs[:, 0])
        found = demand(pairs, clusters, margin).interval(level)
        tried += 1
        caught += found.high < -margin
    return caught / tried if tried > rounds / 2 else None


@dataclass(frozen=True)
class Coverage:
    """Share of intervals whose low end, high end, or both together hold, at 95 % for the interval as a whole."""

    low: float
    high: float

    @property
    def both(self) -> float:
        return self.low + self.high - 1


Interval = Callable[[Scores, Sequence[int] | None], tuple[float, float]]


def mean_of(values: Scores, clusters: Sequence[int] | None) -> tuple[float, float]:
    found = mean_interval(values.tolist(), unit_interval=True, clusters=clusters)
    return found.low, found.high


def difference_of(pairs: Scores, clusters: Sequence[int] | None) -> tuple[float, float]:
    found = paired_difference(pairs[:, 0].tolist(), pairs[:, 1].tolist(), unit_interval=True, clusters=clusters)
    return found.low, found.high


def quantile_of(values: Scores, clusters: Sequence[int] | None) -> tuple[float, float]:
    found = quantile_interval(values.tolist(), quantile=0.8, clusters=clusters)
    return found.low, found.high


def coverage_on_recorded(rounds: int, cases: int, *, name: str, paired: bool, clustered: bool = True) -> Coverage:
    """Of a mean, or of a mean difference, when documents are drawn from the recorded ones."""
    documents = recorded().measures[name]
    everything = np.concatenate(documents)
    truth = float((everything[:, 0] - everything[:, 1]).mean() if paired else everything[:, 0].mean())
    chance = np.random.default_rng([cases, int(paired)])
    low = high = 0
    for _ in range(rounds):
        pairs, clusters = drawn(documents, cases, chance)
        known = clusters if clustered else None
        ends = difference_of(pairs, known) if paired else mean_of(pairs[:, 0], known)
        low += ends[0] <= truth
        high += truth <= ends[1]
    return Coverage(low / rounds, high / rounds)


def made_up(
    cases: int, each: int, alike: float, chance: np.random.Generator, *, truth: float
) -> tuple[Scores, list[int]]:
    """Zeros and ones: a document has its own mean around `truth`, and `alike` is the correlation within it."""
    size = 1 / alike - 1
    means = chance.beta(truth * size, (1 - truth) * size, cases // each)
    clusters = [number for number in range(cases // each) for _ in range(each)]
    return (chance.random(len(clusters)) < means[clusters]).astype(float), clusters


def coverage_on_made_up(
    rounds: int, cases: int, *, alike: float = 0.3, truth: float = 0.7, clustered: bool = True
) -> Coverage:
    """Of a mean of yes-or-no values, five cases to a document (two, in the smallest set)."""
    chance = np.random.default_rng([cases, int(alike * 100)])
    low = high = 0
    for _ in range(rounds):
        values, clusters = made_up(cases, 2 if cases < 50 else 5, alike, chance, truth=truth)
        ends = mean_of(values, clusters if clustered else None)
        low += ends[0] <= truth
        high += ends[1] >= truth
    return Coverage(low / rounds, high / rounds)


def coverage_of_quantile(rounds: int, cases: int, *, clustered: bool = True) -> Coverage:
    """Of an 80 % quantile of seconds, each document's shifted by its own length (half of the variance)."""
    chance = np.random.default_rng([cases, 80])
    truth = 0.8416212335729143 * 2**0.5
    each = 2 if cases < 50 else 5
    low = high = 0
    for _ in range(rounds):
        clusters = [number for number in range(cases // each) for _ in range(each)]
        values = chance.normal(0, 1, cases // each)[clusters] + chance.normal(0, 1, len(clusters))
        ends = quantile_of(values, clusters if clustered else None)
        low += ends[0] <= truth
        high += ends[1] >= truth
    return Coverage(low / rounds, high / rounds)


def looked_wrong(rounds: int, cases: int, *, each: int = 1, error: float = 0.05) -> tuple[float, float]:
    """Share of runs in which a truth on the threshold is ever shown to lie above it, and below it."""
    chance = np.random.default_rng([cases, each])
    above = below = 0
    for _ in range(rounds):
        race = Race.of(0.8, low=0.0, high=1.0, largest=each)
        shares = chance.beta(8, 2, cases // each) if each > 1 else np.full(cases, 0.8)
        shown = [False, False]
        for values in (chance.random((len(shares), each)) < shares[:, None]).astype(float):
            race.see(values.tolist())
            shown = [shown[0] or race.above.shown(error), shown[1] or race.below.shown(error)]
        above, below = above + shown[0], below + shown[1]
    return above / rounds, below / rounds


def needed(rounds: int, cases: int, truth: float) -> tuple[float, float]:
    """Share of runs decided early about a floor of 0.8 (error 0.025), and the share of cases they asked."""
    chance = np.random.default_rng([cases, int(truth * 100)])
    decided, asked = 0, 0
    for _ in range(rounds):
        race, count = Race.of(0.8, low=0.0, high=1.0, largest=1), cases
        for number, value in enumerate((chance.random(cases) < truth).astype(float), start=1):
            race.see([float(value)])
            if race.above.shown(0.025) or race.below.shown(0.025):
                decided, count = decided + 1, number
                break
        asked += count
    return decided / rounds, asked / rounds / cases


def measure(rounds: int = ROUNDS) -> Report:
    """All simulations."""
    names = recorded().names
    figures = []
    for cases in SIZES:
        one = max(false_failures(rounds, cases, names=[name], margin=0.001) for name in names)
        every = false_failures(rounds // 4, cases, names=names, margin=0.001)
        alone = false_failures(rounds // 4, cases, names=names, margin=0.001, family="none")
        what = f"A/A, {cases} cases, margin 0.001: worst of {len(names)} gates with one rule"
        figures.append(Figure(what, f"{one:.1%} fail", "at most 5 %", one <= 0.05 + _noise(rounds)))
        what = f"A/A, {cases} cases: one gate with {len(names)} rules (without Holm {alone:.1%})"
        figures.append(Figure(what, f"{every:.1%} fail", "at most 5 %", every <= 0.05 + _noise(rounds // 4)))
    for cases in (50, 200):
        for rules in (1, 8):
            for name in ("groundedness", "recall@6"):
                found = caught_drops(rounds // 4, cases, name=name, rules=rules)
                what = f"drop of margin + detectable, {cases} cases, {name}, {rules} rule{'s' if rules > 1 else ''}"
                text = "no drop is detectable" if found is None else f"{found:.1%} fail"
                held = None if found is None else found >= 0.8 - _noise(rounds // 4)
                figures.append(Figure(what, text, "at least 80 %", held))
    for each in (1, 5):
        above, below = looked_wrong(rounds // 4, 200, each=each)
        what = f"looking after each of 200 cases, {each} to a document: shown above, below a threshold it lies on"
        figures.append(Figure(what, f"{above:.1%}, {below:.1%}", "5 % each", max(above, below) <= 0.05))
    coverages = Table(
        "Coverage of 95 % intervals; in brackets as if cases were independent.",
        ("what", *(f"{cases} cases" for cases in SIZES)),
        tuple(_coverage_rows(rounds)),
    )
    early = Table(
        "A floor of 0.8 on 200 cases, asked one by one: how many runs are decided early, and the share of cases asked.",
        ("true rate", "decided early", "cases asked"),
        tuple(
            (f"{truth:g}", f"{share:.0%}", f"{asked:.0%}")
            for truth in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
            for share, asked in [needed(rounds // 4, 200, truth)]
        ),
    )
    notes = (f"{rounds:,} rounds for each coverage and each gate with one rule, {rounds // 4:,} for the rest, seeded.",)
    return Report("Statistics by simulation", tuple(figures), (coverages, early), notes)


def _coverage_rows(rounds: int) -> list[tuple[str, ...]]:
    recorded_ones = [
        (
            f"recorded {name}, {'difference' if paired else 'mean'}",
            partial(coverage_on_recorded, rounds, name=name, paired=paired),
        )
        for name in ("groundedness", "recall@6")
        for paired in (False, True)
    ]
    made_up_ones = [
        (
            f"made up, mean {truth:g}, correlation {alike:g} within a document",
            partial(coverage_on_made_up, rounds, alike=alike, truth=truth),
        )
        for truth, alike in ((0.7, 0.05), (0.7, 0.3), (0.7, 0.8), (0.9, 0.3), (0.9, 0.8))
    ]
    quantile = ("made up, 80 % quantile, correlation 0.5", partial(coverage_of_quantile, rounds))
    rows: list[tuple[str, Callable[..., Coverage]]] = [*recorded_ones, *made_up_ones, quantile]
    return [
        (what, *(f"{cover(cases).both:.3f} ({cover(cases, clustered=False).both:.3f})" for cases in SIZES))
        for what, cover in rows
    ]


def _noise(rounds: int) -> float:
    """Two standard errors of a share of 5 or 20 % seen in so many rounds."""
    return 2 * float(np.sqrt(0.05 * 0.95 / rounds))


def record(first: Path, second: Path) -> None:
    """Write the scores of two runs on one golden set, by measure in [0, 1], without any text."""
    runs = [Run.load(folder) for folder in (first, second)]
    names = [name for name, scale in runs[0].scales.items() if scale.unit_interval and name in runs[1].scales]
    documents: dict[str, int] = {}
    numbers = [documents.setdefault(document_of(r.case), len(documents)) for r in runs[0].results]
    scores = {name: [[_rounded(run, name, r.case.id) for r in runs[0].results] for run in runs] for name in names}
    RECORDED.write_text(json.dumps({"documents": numbers, "measures": scores}, separators=(",", ":")) + "\n")


def _rounded(run: Run, name: str, case: str) -> float | None:
    value = run.values(name).get(case)
    return None if value is None else round(value, 3)


def main() -> None:
    if sys.argv[1:2] == ["record"]:
        record(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(markdown(measure(rounds)))


if __name__ == "__main__":
    main()
