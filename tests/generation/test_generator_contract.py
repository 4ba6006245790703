"""Both generators keep the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from genaiops.generation import REFUSAL, Generator
from genaiops.generation.catalog import ModelCard
from genaiops.generation.extractive import Extractive
from genaiops.generation.openai_compatible import OpenAICompatible
from genaiops.testing import ScriptedModelServer
from tests.contracts.generator_contract import GeneratorContract


class TestExtractive(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Generator:
        return Extractive()


class TestOpenAICompatible(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Iterator[Generator]:
        def model(body: dict[str, Any]) -> str:
            return REFUSAL if "Tosca" in body["messages"][-1]["content"] else "With vinegar [1], and [9] is no hit."

        with ScriptedModelServer(model) as server:
            yield OpenAICompatible(ModelCard(base_url=server.base_url), name="scripted")
