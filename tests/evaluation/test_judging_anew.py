"""What a judgement that was kept stands for, and when judges are asked again."""

from __future__ import annotations

import pytest

from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.tools import ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard


def judge_at(url: str) -> str:
    card = ModelCard(base_url=url, model="m")
    return llm_measure("relevance", Tools(models=ModelCatalog(models={"judge": card}), model="judge")).judge


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1:2/team/v1", "http://127.0.0.1:1/other/v1", "https://127.0.0.1:1/team/v1"]
)
def test_another_address_is_another_judge(other: str) -> None:
    assert judge_at("http://127.0.0.1:1/team/v1") != judge_at(other)


def test_a_written_port_and_a_last_slash_make_no_other_judge() -> None:
    assert judge_at("http://127.0.0.1/v1") == judge_at("http://127.0.0.1:80/v1/")
