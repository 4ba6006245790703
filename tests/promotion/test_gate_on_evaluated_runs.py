"""From an evaluation to a release in prod, with nothing built by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import GateRefused
from genaiops.evaluation import Run, Subject, evaluate
from genaiops.golden_sets import GoldenSet
from genaiops.promotion import bundle, judge_run, load_release
from genaiops.records import Answer, Case, Query, Usage, digest_of
from tests.promotion.builders import ENVIRONMENTS, SERVED, gate_of, registry_in

GOLDEN = GoldenSet("numbers", tuple(Case(f"c{n}", f"{n} + 1?", reference=str(n + 1)) for n in range(120)))
GATE = gate_of(
    {"measure": "exact_match", "at_least": 0.9},
    {"measure": "exact_match", "not_worse_than": "champion", "margin": 0.02},
    {"measure": "latency_p95_s", "at_most": 2.0},
)


def evaluated(*, wrong_below: int = 0) -> Run:
    """A run of an application that adds one, and is wrong about the numbers below `wrong_below`."""

    def ask(query: Query) -> Answer:
        number = int(query.text.split()[0])
        text = str(number + (2 if number < wrong_below else 1))
        return Answer(query, text, False, (), (), Usage(), None, {"total": 0.01 + number / 1e4}, "m", "p", "i")

    subject = Subject("adder", {"flow": digest_of(SERVED)})
    return evaluate(ask, GOLDEN, measures=["exact_match", "latency_s", "latency_p95_s"], subject=subject)


def test_an_evaluated_flow_is_gated_released_and_promoted_and_its_twin_follows(tmp_path: Path) -> None:
    registry, champion = registry_in(tmp_path), None
    for _ in range(2):
        run = evaluated()
        run.save(tmp_path / "runs")
        run = Run.load(tmp_path / "runs" / run.id)
        decision = judge_run(GATE, run, champion, golden_set_digest=GOLDEN.digest)
        assert decision.verdict == "pass"
        assert bool(decision.reasons) == (champion is None)
        release = bundle(SERVED, run, GATE, decision)
        digest = registry.record_release(release)
        assert load_release(tmp_path / "releases", digest) == release
        for name in ENVIRONMENTS:
            registry.promote(digest, to=name)
        found = registry.champion("prod", "adder")
        assert found == release
        champion = Run.load(tmp_path / "runs" / found.evidence.run)


def test_an_evaluated_drop_fails_and_is_not_released() -> None:
    run = evaluated(wrong_below=30)
    decision = judge_run(GATE, run, evaluated())
    assert decision.verdict == "fail"
    assert [result.verdict for result in decision.rules] == ["fail", "fail", "pass"]
    assert "c0 (1.000 → 0.000), c1 (1.000 → 0.000), c10 (1.000 → 0.000)" in decision.reasons[1]
    with pytest.raises(GateRefused):
        bundle(SERVED, run, GATE, decision)
