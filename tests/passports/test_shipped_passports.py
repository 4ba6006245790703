"""The passports that come with the shipped judges are theirs."""

from __future__ import annotations

from datetime import date

import pytest

from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.passports import Passport, Shelf
from genaiops.evaluation.passports.shelf import SHIPPED
from tests.other_embedder import OtherEmbedder

MEASURED = ("completeness", "groundedness", "relevance", "utilization")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return default_embedder()


@pytest.mark.parametrize("measure", MEASURED)
def test_a_shipped_passport_is_of_the_judge_that_is_shipped(measure: str, embedder: Embedder) -> None:
    passport = Passport.load(SHIPPED / f"{measure}.json")
    judge = JUDGES[measure](embedder).judge
    assert passport.judge == judge, (
        "the judge was changed: GENAIOPS_DATA=… python -m benchmarks.judges.passports --write makes its passport again"
    )
    on = date.fromisoformat(passport.made_at)
    assert Shelf().standing(measure, judge, on=on) == passport
    assert passport.n > 600
    for source in passport.sources:
        assert source.auroc is not None
        assert source.auroc.low <= source.auroc.value <= source.auroc.high


def test_with_another_embedder_a_judge_has_no_passport_and_is_told_why(embedder: Embedder) -> None:
    judge = JUDGES["relevance"](OtherEmbedder(embedder)).judge
    told = Shelf().standing("relevance", judge)
    assert "the judge or its embedder is another now" in str(told)
    assert "genaiops judge calibrate FILE --measure relevance" in str(told)


def test_there_are_no_others() -> None:
    assert sorted(path.name for path in SHIPPED.iterdir()) == [f"{measure}.json" for measure in MEASURED]
