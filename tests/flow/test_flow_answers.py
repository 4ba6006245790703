"""A flow from documents to answers: citations, refusals, variants, releases, and what stands in the way."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, IndexMismatch, IntegrityError, ModelError, NotBuilt, NotFound
from genaiops.flow import Flow
from genaiops.generation import REFUSAL
from genaiops.records import Query
from genaiops.testing import Reply, ScriptedModelServer
from tests.flow import workshop
from tests.small_project import SmallProject


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The workshop's flow, built."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    return workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")


def with_model(flow: Flow, server: ScriptedModelServer, *overrides: str) -> Flow:
    return workshop.load(
        flow.folder, "generation.model=house", f"generation.base_url={server.base_url}", "generation.timeout_s=2",
        *overrides,
    )  # fmt: skip


# --- answers ----------------------------------------------------------------------


def test_citations_point_at_the_characters_of_the_file_on_disk(flow: Flow) -> None:
    answers = [flow.ask(str(case["question"])) for case in workshop.cases() if case["kind"] == "answerable"]
    cited = [citation for answer in answers for citation in answer.citations]
    assert len(cited) >= 20
    for citation in cited:
        text = (flow.project.root / "manual" / citation.document_id).read_text(encoding="utf-8")
        assert text[citation.start : citation.end] == citation.quote
        assert citation.quote


def test_an_answer_names_its_sources_and_everything_that_made_it(flow: Flow) -> None:
    answer = flow.ask(Query("What are loose hub bearings packed with?", id="q7"))
    assert "lithium grease" in answer.text
    assert not answer.refused
    assert answer.text.endswith(f"[{answer.citations[0].marker}]")
    assert answer.citations[0].document_id == "wheels.md"
    assert answer.hits[answer.citations[0].marker - 1].chunk.id == answer.citations[0].chunk_id
    assert (answer.query.id, answer.model, answer.prompt, answer.release) == ("q7", "extractive", "cited", "")
    assert answer.index == flow.index_id
    assert answer.cost_usd == 0.0
    assert set(answer.seconds) == {"retrieve", "prompt", "generate", "total"}
    assert answer.seconds["total"] == pytest.approx(sum(v for k, v in answer.seconds.items() if k != "total"), abs=1e-6)


def test_what_the_documents_do_not_hold_is_refused(flow: Flow) -> None:
    answer = flow.ask(workshop.UNANSWERED[0])
    assert (answer.text, answer.refused, answer.citations) == (REFUSAL, True, ())


def test_the_pieces_of_an_answer_are_its_text(flow: Flow) -> None:
    pieces: list[str] = []
    answer = flow.ask("When are brake pads replaced?", pieces.append)
    assert "".join(pieces) == answer.text


@pytest.mark.parametrize(("question", "told"), [("  \n", "empty"), ("x" * 10_001, "10,001 characters")])
def test_a_question_that_is_none_is_refused(flow: Flow, question: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        flow.ask(question)
    with pytest.raises(ConfigurationError, match=told):
        flow.search(question)


def test_search_gives_as_many_hits_as_were_asked_for(flow: Flow) -> None:
    assert [hit.rank for hit in flow.search("brake")] == [1, 2, 3, 4]
    assert len(flow.search("brake", 2)) == 2
    assert len(flow.search("brake", 1000)) == len(flow.chunks())


def test_one_flow_answers_many_threads_alike(flow: Flow) -> None:
    questions = [str(case["question"]) for case in workshop.cases()[:8]] * 3
    alone = [flow.ask(question).text for question in questions]
    fresh = workshop.load(flow.folder)  # nothing is open yet, so the threads race for the opening too
    with ThreadPoolExecutor(8) as pool:
        assert [answer.text for answer in pool.map(fresh.ask, questions)] == alone


# --- variants and the model behind an endpoint ------------------------------------


def test_a_variant_shares_the_index_and_changes_the_answers(flow: Flow) -> None:
    question = "When are brake pads replaced?"
    mute = flow.with_prompt("mute")
    assert not flow.ask(question).refused
    assert mute.ask(question).refused
    assert mute.index_id == flow.index_id
    assert mute.served.digest != flow.served.digest
    assert flow.variants == ["cited", "mute"]


def test_an_endpoint_gets_the_rendered_prompt_and_its_markers_become_citations(flow: Flow) -> None:
    question = "What are loose hub bearings packed with?"
    with ScriptedModelServer(Reply(text="Lithium grease [1].", usage=(1000, 10))) as server:
        catalog = flow.project.models_file
        catalog.write_text(
            f"models:\n  house: {{model: q7, base_url: '{server.base_url}', input_usd_per_million: 2.0,"
            " output_usd_per_million: 5.0}\n"
        )
        answer = workshop.load(flow.folder, "generation.model=house").ask(question)
        sent = server.chats[0].body
    assert (answer.model, answer.text) == ("house", "Lithium grease [1].")
    assert sent["model"] == "q7"
    assert answer.cost_usd == pytest.approx((1000 * 2 + 10 * 5) / 1e6)
    system, user = sent["messages"]
    assert (system["role"], user) == ("system", {"role": "user", "content": question})
    assert all(hit.chunk.text in system["content"] for hit in answer.hits)
    (citation,) = answer.citations
    text = (flow.project.root / "manual" / citation.document_id).read_text(encoding="utf-8")
    assert text[citation.start : citation.end] == citation.quote == answer.hits[0].chunk.text


def test_without_prices_the_cost_is_unknown(flow: Flow) -> None:
    with ScriptedModelServer("Grease [1].") as server:
        assert with_model(flow, server).ask("What are hubs packed with?").cost_usd is None


def test_a_model_that_fails_is_an_error_and_never_an_answer(flow: Flow) -> None:
    with ScriptedModelServer([Reply(status=401), Reply(body=b"garbage")]) as server:
        broken = with_model(flow, server)
        for _ in range(2):
            with pytest.raises(ModelError) as caught:
                broken.ask("What are hubs packed with?")
            assert caught.value.exit_code == 3
            assert "house" in str(caught.value)


def test_a_model_that_is_down_is_an_outage(flow: Flow) -> None:
    with ScriptedModelServer() as server:
        down = with_model(flow, server, "generation.timeout_s=0.5")
    with pytest.raises(ModelError) as caught:
        down.ask("What are hubs packed with?")
    assert caught.value.retryable


# --- the index --------------------------------------------------------------------


def test_a_flow_that_was_never_built_says_so(small_project: SmallProject) -> None:
    flow = Flow.load(small_project.flow)
    for use in (lambda: flow.ask("What?"), lambda: flow.search("What?"), flow.chunks, flow.documents):
        with pytest.raises(NotBuilt) as caught:
            use()
        assert "genaiops build" in caught.value.remedy
    assert not small_project.home.exists()


def test_an_index_of_other_settings_is_not_taken_for_this_one(flow: Flow) -> None:
    other = workshop.load(flow.folder, "chunking.size=300")
    with pytest.raises(NotBuilt, match="only for others"):
        other.ask("What are hubs packed with?")
    other.build()
    assert other.index_id != flow.index_id
    assert workshop.load(flow.folder).index_id == flow.index_id


@pytest.mark.parametrize("override", ["prompt=mute", "retrieval.top_k=2", "retrieval.search=full_text"])
def test_what_is_no_part_of_an_index_needs_no_build(flow: Flow, override: str) -> None:
    assert workshop.load(flow.folder, override).index_id == flow.index_id


def test_a_second_build_changes_nothing_and_an_edit_embeds_one_section(flow: Flow) -> None:
    assert flow.build().unchanged
    page = flow.project.root / "manual" / "wheels.md"
    page.write_text(page.read_text().replace("4.5 bar", "five bar"))
    report = flow.build()
    assert (report.unchanged, report.embedded) == (False, 1)
    assert "five bar" in flow.ask("To what pressure are touring tyres inflated?").text


def test_a_damaged_index_is_refused_and_a_full_build_mends_it(flow: Flow) -> None:
    folder = flow.project.indexes / flow.index_id
    (folder / "chunks.jsonl").write_text((folder / "chunks.jsonl").read_text().replace("lithium", "plutonium"))
    with pytest.raises(IntegrityError, match="changed after the index was built") as caught:
        flow.ask("What are hubs packed with?")
    assert "--full" in caught.value.remedy
    flow.build(full=True)
    assert "lithium" in flow.ask("What are loose hub bearings packed with?").text


def test_the_index_of_another_embedder_is_refused(flow: Flow) -> None:
    served = dataclasses.replace(flow.served, embedder="f" * 64)
    index = flow.project.indexes / flow.index_id
    from genaiops.indexing.snapshot import load_index

    with pytest.raises(IndexMismatch) as caught:
        load_index(index, embedder=served.embedder)
    assert flow.embedder.fingerprint[:12] in str(caught.value)
    assert "f" * 12 in str(caught.value)


# --- releases ---------------------------------------------------------------------


def test_a_release_answers_without_the_flow_folder(flow: Flow) -> None:
    question = "What are loose hub bearings packed with?"
    expected = flow.ask(question)
    served = json.loads(json.dumps(flow.served.to_json()))
    (flow.folder / "flow.yaml").unlink()
    pipeline = Flow.from_release(served, flow.project, release="r" * 64)
    answer = pipeline.ask(question)
    assert (answer.text, answer.citations, answer.index) == (expected.text, expected.citations, expected.index)
    assert answer.release == "r" * 64
    assert pipeline.served.digest == flow.served.digest
    assert pipeline.served.embedding.precision == "fp32"


@pytest.mark.parametrize("part", ["prompt", "embedding", "retrieval", "generation", "index"])
def test_a_release_without_a_part_is_refused(flow: Flow, part: str) -> None:
    served = flow.served.to_json()
    del served[part]
    with pytest.raises(ConfigurationError, match="not hold a whole flow"):
        Flow.from_release(served, flow.project)


def test_a_release_whose_index_is_gone_is_refused(flow: Flow) -> None:
    served = {**flow.served.to_json(), "index": "0" * 64}
    with pytest.raises((NotBuilt, NotFound)):
        Flow.from_release(served, flow.project)


def test_an_exception_out_of_emit_ends_the_generation(flow: Flow) -> None:
    class Enough(Exception):
        pass

    heard = threading.Event()

    def stop(piece: str) -> None:
        heard.set()
        raise Enough

    with pytest.raises(Enough):
        flow.ask("When are brake pads replaced?", stop)
    assert heard.is_set()
