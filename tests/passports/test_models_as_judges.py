"""A language model that judges gets its passport in the same way, and what it garbles is no figure."""

from __future__ import annotations

from typing import Any

from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.passports import Labelled, Shelf, calibrate
from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.evaluation.judging_models import claim, sample, tools
from tests.passports.makers import DAY

GOOD = "A kettle is descaled with vinegar."
BAD = "A kettle is descaled with acid."


def reply(body: dict[str, Any]) -> str | Reply:
    text = str(body["messages"])
    if "(4)" in text:
        return Reply("five stars!")
    verdict = claim(1, "supported", "descaled with vinegar", 1) if BAD not in text else claim(1, "unsupported")
    return scripted_verdict(body, claims=[verdict])


def test_a_model_is_compared_with_people_and_its_garbage_is_counted_apart() -> None:
    labels = [(GOOD, 1.0), (BAD, 0.0), (GOOD, 1.0), (BAD, 0.0), (GOOD, 1.0)]
    rows = [Labelled(sample(number, answer), label) for number, (answer, label) in enumerate(labels)]
    with ScriptedModelServer(reply) as server:
        judge = llm_measure("groundedness", tools(server))
        passport = calibrate(judge, rows, made=DAY)
        other = llm_measure("groundedness", tools(server, votes=3))
    (source,) = passport.sources
    assert (source.n, source.unscored) == (4, 1)
    assert (source.confusion.true_positive, source.confusion.true_negative) == (2, 2)
    assert passport.measure == "llm:groundedness"
    assert "another" in passport.refusal(other.judge, on=DAY)  # another number of votes is another judge
    assert isinstance(Shelf().standing("llm:groundedness", judge.judge), str)
