"""A flow whose vectors come from an endpoint: by address in flow.yaml or by a card of models.yaml."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genaiops import Flow
from genaiops.errors import ConfigurationError, IndexMismatch, ModelError
from genaiops.testing import Reply, ScriptedModelServer
from tests.small_project import SmallProject

QUESTION = "How long does the warranty of a kettle last?"


@pytest.fixture
def server() -> Iterator[ScriptedModelServer]:
    with ScriptedModelServer(dimension=48) as running:
        yield running


def pointed(project: SmallProject, text: str) -> None:
    """`embedding:` of the project's flow is `text`."""
    path = project.flow / "flow.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("embedding:")]
    path.write_text("\n".join([*lines, f"embedding: {text}", ""]))


def test_an_index_is_built_asked_and_released_through_an_address(
    small_project: SmallProject, server: ScriptedModelServer
) -> None:
    pointed(small_project, f"{{model: encoder, base_url: '{server.base_url}', dimensions: 48}}")
    flow = Flow.load(small_project.flow)
    report = flow.build()
    assert report.embedded == report.chunks
    assert flow.ask(QUESTION).hits
    asked = len(server.embeddings)
    assert Flow.load(small_project.flow).build().embedded == 0
    assert len(server.embeddings) == asked  # nothing changed: nobody is asked
    served = flow.served.to_json()
    again = Flow.from_release(served, flow.project)
    assert again.search(QUESTION) == flow.search(QUESTION)
    assert served["embedding"]["base_url"] == server.base_url


def test_a_card_of_models_yaml_gives_the_address(small_project: SmallProject, server: ScriptedModelServer) -> None:
    card = f"encoder: {{model: encoder-v2, base_url: '{server.base_url}', timeout_s: 7}}"
    (small_project.root / "models.yaml").write_text(f"models:\n  {card}\n")
    pointed(small_project, "{model: encoder, dimensions: 48, batch_texts: 4}")
    flow = Flow.load(small_project.flow)
    found = flow.embedding
    assert (found.model, found.base_url, found.timeout_s) == ("encoder-v2", server.base_url, 7)
    assert (found.dimensions, found.batch_texts) == (48, 4)
    flow.build()
    assert {request.body["model"] for request in server.embeddings} == {"encoder-v2"}
    assert max(len(request.body["input"]) for request in server.embeddings) == 4
    # A release needs no models.yaml any more.
    (small_project.root / "models.yaml").unlink()
    assert Flow.from_release(flow.served.to_json(), flow.project).search(QUESTION)


def test_a_setting_that_an_endpoint_does_not_obey_is_refused_with_the_card(
    small_project: SmallProject, server: ScriptedModelServer
) -> None:
    (small_project.root / "models.yaml").write_text(f"models:\n  encoder: {{base_url: '{server.base_url}'}}\n")
    pointed(small_project, "{model: encoder, precision: bf16}")
    with pytest.raises(ConfigurationError, match="precision decides nothing") as caught:
        Flow.load(small_project.flow).build()
    assert "encoder of models.yaml" in caught.value.where


def test_an_index_of_another_model_at_the_same_address_is_refused(
    small_project: SmallProject, server: ScriptedModelServer
) -> None:
    pointed(small_project, f"{{model: encoder, base_url: '{server.base_url}', dimensions: 48}}")
    Flow.load(small_project.flow).build()
    pointed(small_project, f"{{model: encoder, base_url: '{server.base_url}', dimensions: 24}}")
    with pytest.raises(IndexMismatch, match="was built with embedder"):
        Flow.load(small_project.flow).ask(QUESTION)


def test_a_build_that_an_endpoint_breaks_off_goes_on_where_it_was_and_leaves_no_index(
    small_project: SmallProject,
) -> None:
    faults = [None, None, Reply(status=400, text="too long")]
    with ScriptedModelServer(dimension=48, vectors=faults) as server:
        given = f"base_url: '{server.base_url}', dimensions: 48, batch_texts: 1, concurrency: 1"
        pointed(small_project, f"{{model: encoder, {given}}}")
        with pytest.raises(ModelError, match="too long"):
            Flow.load(small_project.flow).build()
        assert not list((small_project.home / "indexes").glob("[0-9a-f]*"))
        report = Flow.load(small_project.flow).build()
        assert report.chunks > 0
        assert Flow.load(small_project.flow).ask(QUESTION).hits
