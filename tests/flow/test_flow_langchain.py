"""The flow inside LangChain's own chains."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError, ModelError
from genaiops.flow import Flow
from genaiops.records import Answer
from genaiops.testing import Reply, ScriptedModelServer
from tests.flow import workshop
from tests.words_embedder import WordsEmbedder

langchain_core = pytest.importorskip("langchain_core")
from langchain_core.language_models import FakeListChatModel  # noqa: E402
from langchain_core.output_parsers import StrOutputParser  # noqa: E402
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate  # noqa: E402
from langchain_core.runnables import RunnableLambda, RunnablePassthrough  # noqa: E402

QUESTION = "What are loose hub bearings packed with?"


@pytest.fixture(scope="module")
def flow() -> Flow:
    return workshop.load(workshop.finished() / "flows" / "workshop")


def test_the_retriever_gives_the_hits_with_their_places(flow: Flow) -> None:
    documents = flow.as_retriever().invoke(QUESTION)
    hits = flow.search(QUESTION)
    assert [document.page_content for document in documents] == [hit.chunk.text for hit in hits]
    first = documents[0].metadata
    text = (flow.project.root / "manual" / first["document_id"]).read_text(encoding="utf-8")
    assert text[first["start"] : first["end"]] == documents[0].page_content
    assert (first["rank"], first["chunk_id"]) == (1, hits[0].chunk.id)
    assert first["score"] == hits[0].score
    assert len(flow.as_retriever(k=2).invoke(QUESTION)) == 2


def test_labels_and_filters_hold_for_every_query_of_a_chain(tmp_path: Path) -> None:
    root = workshop.write(tmp_path).parents[1]
    (root / "manual" / "wages.md").write_text("---\naccess: office\n---\n# Wages\n\nHub bearings cost wages.\n")
    flow = workshop.load(root / "flows" / "workshop")
    flow.__dict__["embedder"] = WordsEmbedder()
    flow.build()

    def found(**permitted: Any) -> set[str]:
        return {document.metadata["document_id"] for document in flow.as_retriever(k=50, **permitted).invoke(QUESTION)}

    everything = {*workshop.FACTS, "wages.md"}
    assert found() == found(access=["office"]) == everything
    assert found(access=[]) == found(access=["shop"]) == set(workshop.FACTS)
    assert found(access=["office"], where={"document": "wages.md"}) == {"wages.md"}
    runnable = flow.as_runnable(access=())
    assert "wages.md" not in {hit.chunk.document_id for hit in runnable.invoke(QUESTION).hits}
    with pytest.raises(ConfigurationError, match="list of labels"):
        flow.as_retriever(access="office")


def test_the_retriever_feeds_a_chain_with_a_prompt_and_a_model_of_its_own(flow: Flow) -> None:
    seen: list[str] = []

    def join(documents: list[Any]) -> str:
        seen.extend(document.page_content for document in documents)
        return "\n".join(seen)

    chain = (
        {"context": flow.as_retriever() | join, "question": RunnablePassthrough()}
        | ChatPromptTemplate.from_template("{context}\n\n{question}")
        | FakeListChatModel(responses=["grease"])
        | StrOutputParser()
    )
    assert chain.invoke(QUESTION) == "grease"
    assert any("lithium grease" in text for text in seen)
    assert "".join(chain.stream(QUESTION)) == "grease"


def test_the_runnable_answers_what_ask_answers(flow: Flow) -> None:
    expected = flow.ask(QUESTION)
    runnable = flow.as_runnable()
    for given in (QUESTION, {"question": QUESTION}):
        answer = runnable.invoke(given)
        assert isinstance(answer, Answer)
        assert (answer.text, answer.citations) == (expected.text, expected.citations)
    assert [answer.text for answer in runnable.batch([QUESTION, QUESTION])] == [expected.text] * 2
    assert asyncio.run(runnable.ainvoke(QUESTION)).text == expected.text
    assert "".join(runnable.stream(QUESTION)) == expected.text


@pytest.mark.parametrize(
    "prompt",
    [
        PromptTemplate.from_template("What are loose {part} packed with?"),
        ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "What are loose {part} packed with?")]),
    ],
)
def test_a_prompt_of_the_chain_may_write_the_question(flow: Flow, prompt: Any) -> None:
    chain = prompt | flow.as_runnable()
    assert "lithium grease" in chain.invoke({"part": "hub bearings"}).text
    assert "lithium grease" in "".join(chain.stream({"part": "hub bearings"}))


def test_the_runnable_is_one_step_among_others(flow: Flow) -> None:
    chain = RunnablePassthrough.assign(answer=flow.as_runnable()) | RunnableLambda(lambda given: given["answer"].text)
    assert "lithium grease" in chain.invoke({"question": QUESTION})


@pytest.mark.parametrize("given", [7, {"query": "x"}, None, {"question": 3}])
def test_what_holds_no_question_is_refused(flow: Flow, given: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a question"):
        flow.as_runnable().invoke(given)


def test_an_error_of_the_model_reaches_the_reader_of_a_stream(flow: Flow, tmp_path: Path) -> None:
    with ScriptedModelServer(Reply(status=400)) as server:
        broken = workshop.load(flow.folder, "generation.model=m", f"generation.base_url={server.base_url}")
        with pytest.raises(ModelError):
            list(broken.as_runnable().stream(QUESTION))


def test_a_reader_who_leaves_a_stream_ends_the_generation(flow: Flow) -> None:
    with ScriptedModelServer(Reply(chunks=["more "], endless=True, interval_s=0.02)) as server:
        endless = workshop.load(flow.folder, "generation.model=m", f"generation.base_url={server.base_url}")
        stream = endless.as_runnable().stream(QUESTION)
        assert [next(stream) for _ in range(3)] == ["more "] * 3
        stream.close()  # type: ignore[attr-defined]
        until = time.monotonic() + 5
        while server.disconnects == 0:
            assert time.monotonic() < until, "the generation went on"
            time.sleep(0.01)
