"""Filters, labels, rewriting and expansion as a flow uses them, with a real index and a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError, IntegrityError, ModelError
from genaiops.flow import Flow
from genaiops.records import Query
from genaiops.testing import Reply, ScriptedModelServer
from tests.retrieval.conftest import make_cross_encoder
from tests.small_project import SmallProject

QUESTION = "Hi there! Could you tell me about that white crust?"
QUERY = "limescale removal from a kettle with vinegar"
LABELS = {
    "returns.md": "sensitivity: internal\naccess: [staff]\nshelf: left\nyear: 2024\n",
    "cleaning.md": "sensitivity: public\nshelf: left\nyear: 2025\n",
    "warranty.md": "sensitivity: restricted\naccess: [legal]\nshelf: right\n",
}


@pytest.fixture
def labelled(small_project: SmallProject) -> SmallProject:
    path = small_project.flow / "flow.yaml"
    enrichment = "enrichment: [heading_path, {metadata: {fields: [shelf, year]}}]"
    path.write_text(
        path.read_text(encoding="utf-8").replace("enrichment: [heading_path]", enrichment), encoding="utf-8"
    )
    for name, matter in LABELS.items():
        path = small_project.documents / name
        path.write_text(f"---\n{matter}---\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    Flow.load(small_project.flow).build()
    return small_project


def model(server: ScriptedModelServer, *settings: str) -> list[str]:
    """Overrides that let the scripted model answer, and rewrite as `settings` say."""
    named = ["generation.model=scripted", f"generation.base_url={server.base_url}"]
    return [*named, *settings]


def scripted(rewritten: str | Reply) -> Callable[[dict[str, Any]], str | Reply]:
    """Gives `rewritten` to whoever asks for a query or a passage, and an answer to everybody else."""

    def reply(body: dict[str, Any]) -> str | Reply:
        told = body["messages"][0]["content"]
        return rewritten if "search engine" in told or "Write a passage" in told else "Boil vinegar [1]."

    return reply


def documents(flow: Flow, query: Query) -> set[str]:
    return {hit.chunk.document_id for hit in flow.search(query, 50)}


def test_a_query_is_filtered_by_metadata_and_labels_and_the_answer_is_as_sensitive_as_its_strictest_hit(
    labelled: SmallProject,
) -> None:
    flow = Flow.load(labelled.flow)
    assert documents(flow, Query("kettle", where={"shelf": "left"})) == {"returns.md", "cleaning.md"}
    assert documents(flow, Query("kettle", where={"year": {"gte": 2025}})) == {"cleaning.md"}
    assert documents(flow, Query("kettle", where={"document": "models/*"})) == {"models/glass.md", "models/travel.md"}
    everybodys = documents(flow, Query("kettle", access=()))
    assert everybodys == {"cleaning.md", "models/glass.md", "models/travel.md"}
    assert documents(flow, Query("kettle", access=("staff",))) == everybodys | {"returns.md"}
    assert flow.ask(Query("How do I remove limescale?", where={"shelf": "left"})).sensitivity == "internal"
    assert flow.ask(Query("How do I remove limescale?", access=())).sensitivity == "public"
    assert flow.ask("How long does the warranty last?").sensitivity == "restricted"
    assert flow.ask(Query("How many watts?", where={"document": "models/*"})).sensitivity == ""


def test_the_flows_own_filter_holds_besides_the_querys(labelled: SmallProject) -> None:
    flow = Flow.load(labelled.flow, overrides=["retrieval.where={shelf: left}"])
    assert documents(flow, Query("kettle")) == {"returns.md", "cleaning.md"}
    assert documents(flow, Query("kettle", where={"shelf": "right"})) == set()
    assert documents(flow, Query("kettle", where={"year": 2024}, access=("staff",))) == {"returns.md"}
    assert documents(flow, Query("kettle", where={"year": 2024}, access=())) == set()
    with pytest.raises(ConfigurationError, match="no operator 'near'"):
        flow.search(Query("kettle", where={"year": {"near": 2024}}))
    with pytest.raises(ConfigurationError, match="no operator 'near'"):
        Flow.load(labelled.flow, overrides=["retrieval.where={year: {near: 2024}}"])


def test_rewriting_searches_for_the_models_query_and_tells_so(labelled: SmallProject) -> None:
    with ScriptedModelServer(replies=scripted(QUERY)) as server:
        plain = Flow.load(labelled.flow, overrides=model(server)).ask(QUESTION)
        assert plain.searched == ""
        server.requests.clear()
        flow = Flow.load(labelled.flow, overrides=model(server, "retrieval.rewrite=rewrite"))
        answer = flow.ask(QUESTION)
        asked, answered = server.requests
    assert asked.body["messages"][-1]["content"] == QUESTION
    assert answer.searched == QUERY
    assert answer.hits[0].chunk.document_id == "cleaning.md"
    assert QUESTION in answered.body["messages"][-1]["content"]  # the answer is to the question, not to the query
    assert answer.usage.input_tokens > plain.usage.input_tokens  # what rewriting used is paid for


def test_hyde_embeds_a_passage_beside_the_question_and_takes_the_words_from_the_question(
    labelled: SmallProject,
) -> None:
    passage = "To take limescale off, boil vinegar and let it stand. Zanzibar."
    with ScriptedModelServer(replies=scripted(passage)) as server:
        flow = Flow.load(labelled.flow, overrides=model(server, "retrieval.rewrite=hyde"))
        answer = flow.ask(QUESTION)
        full_text = {hit.signals.get("full_text") for hit in answer.hits}
    assert answer.searched == passage
    assert answer.hits[0].chunk.document_id == "cleaning.md"
    assert full_text == {None}  # no document has a word of the question, and those of the passage do not count


@pytest.mark.parametrize("broken", [Reply(status=400), Reply(text="   ")], ids=["refused", "blank"])
def test_a_model_that_cannot_rewrite_ends_the_question_unless_the_plain_question_will_do(
    labelled: SmallProject, broken: Reply
) -> None:
    with ScriptedModelServer(replies=scripted(broken)) as server:
        with pytest.raises(ModelError):
            Flow.load(labelled.flow, overrides=model(server, "retrieval.rewrite=rewrite")).ask("limescale")
        settings = ("retrieval.rewrite=rewrite", "retrieval.on_failure=plain")
        answer = Flow.load(labelled.flow, overrides=model(server, *settings)).ask("How do I remove limescale?")
    assert answer.searched == ""
    assert answer.hits[0].chunk.document_id == "cleaning.md"


def test_rewriting_without_a_model_is_refused_before_anything_is_asked(small_project: SmallProject) -> None:
    with pytest.raises(ConfigurationError, match=r"retrieval\.rewrite: hyde asks a model"):
        Flow.load(small_project.flow, overrides=["retrieval.rewrite=hyde"])


def test_expanded_hits_cite_exact_spans_and_name_what_was_found(labelled: SmallProject) -> None:
    flow = Flow.load(labelled.flow, overrides=["retrieval.expand=neighbours", "chunking.size=100"])
    flow.build()
    texts = {document.id: document.text for document in flow.documents()}
    chunks = {chunk.id for chunk in flow.chunks()}
    answer = flow.ask("Return parcels are free inside the country?")
    grown = [hit.chunk for hit in answer.hits if "found" in hit.chunk.metadata]
    assert grown
    for chunk in grown:
        assert chunk.text == texts[chunk.document_id][chunk.start : chunk.end]
        assert chunk.metadata["found"]["chunk"] in chunks
    for citation in answer.citations:
        assert texts[citation.document_id][citation.start : citation.end] == citation.quote


def test_a_release_pins_the_reranking_model(labelled: SmallProject, tmp_path: Path) -> None:
    folder = labelled.flow / "reranker"
    folder.mkdir()
    make_cross_encoder(folder)
    flow = Flow.load(labelled.flow, overrides=["retrieval.rerank={model: reranker, depth: 5}"])
    hits = flow.search("How do I remove limescale?", 3)
    assert [hit.score for hit in hits] == sorted((hit.signals["rerank"] for hit in hits), reverse=True)
    served = flow.served.to_json()
    assert served["retrieval"]["rerank"]["model"] == str(folder.resolve())
    assert len(served["retrieval"]["rerank"]["digest"]) == 64
    served = json.loads(json.dumps(served))
    again = Flow.from_release(served, flow.project)
    assert [hit.chunk.id for hit in again.search("How do I remove limescale?", 3)] == [hit.chunk.id for hit in hits]
    make_cross_encoder(folder, seed=8)
    with pytest.raises(IntegrityError, match="the reranking model has digest"):
        Flow.from_release(served, flow.project)
