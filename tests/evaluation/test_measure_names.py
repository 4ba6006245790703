from __future__ import annotations

import subprocess
import sys

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation import DEFAULT_MEASURES, MEASURES, measure_named
from genaiops.evaluation.measures import known_measures, measures_named


@pytest.mark.parametrize("name", [*MEASURES, "recall@1", "precision@6", "mrr@10", "ndcg@100", "map@1000"])
def test_a_measure_prints_the_name_it_is_asked_for_by(name: str) -> None:
    assert str(measure_named(name)) == name
    assert measure_named(name) == measure_named(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("recal@6", "unknown measure 'recal@6'; did you mean 'recall@6'?"),
        ("groundednes", "did you mean 'groundedness'?"),
        ("exactmatch", "did you mean 'exact_match'?"),
        ("zzz", "unknown measure 'zzz'\n"),
        ("recall", "needs a cutoff from 1 to 1000, as in 'recall@6'"),
        ("recall@0", "needs a cutoff"),
        ("recall@06", "needs a cutoff"),
        ("recall@1001", "needs a cutoff"),
        ("recall@-1", "needs a cutoff"),
        ("refusal@3", "measure 'refusal' has no cutoff"),
        ("ragsa:faithfulness", "unknown measure 'ragsa:faithfulness'\n  there are llm:…, ragas:…"),
        ("llm:", "measure 'llm:': what follows 'llm' is missing"),
        ("", "unknown measure ''"),
    ],
)
def test_an_unknown_name_says_what_was_meant(name: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        measure_named(name)
    assert says in str(raised.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as raised:
        measure_named("zzz")
    assert all(name in raised.value.remedy for name in known_measures())


def test_the_defaults_are_known() -> None:
    known = known_measures()
    assert all(name in known or f"{name.partition('@')[0]}@k" in known for name in DEFAULT_MEASURES)


def test_none_and_twice_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no measure"):
        measures_named([])
    with pytest.raises(ConfigurationError, match="'refusal' is asked for twice"):
        measures_named(["refusal", "recall@2", measure_named("refusal")])


def test_importing_the_loop_imports_nothing_heavy() -> None:
    heavy = ("torch", "sentence_transformers", "mlflow", "scipy", "numpy", "langchain", "faiss", "openai")
    code = (
        "import sys, genaiops.evaluation as e; e.evaluate, e.track, e.score_rows, e.measure_named('recall@6');"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
