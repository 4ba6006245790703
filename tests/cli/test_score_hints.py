"""What genaiops score says of measures that got no score: once, and with the option or column that gives one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Run, write
from tests.evaluation.json_server import application

SAID = {"reply": {"text": "A hub takes grease."}, "sources": [{"text": "A hub takes grease, never oil."}]}


def hints(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("for want of")]


def test_an_application_without_contexts_is_told_which_jmespath_gives_them(run: Run, here: Path) -> None:
    write("q.jsonl", *({"question": f"What does hub {n} take?", "reference": "Grease."} for n in range(3)))
    with application(lambda *_: (200, SAID)) as app:
        asked = ("score", "--url", app.url, "--questions", "q.jsonl", "--jmespath", "answer: reply.text")
        without = run(*asked)
        misspelt = run(*asked, "--jmespath", "contexts: sources[].txt", "-m", "groundedness", "--json")
        given = run(*asked, "--jmespath", "contexts: sources[].text")
    assert hints(without.err) == [
        "for want of contexts there is no score of groundedness, utilization: --jmespath 'answer: reply.text' "
        "--jmespath 'contexts: PATH' says where in the reply they stand; "
        "the reply is an object of reply.text, sources[].text"
    ]
    assert hints(misspelt.err) == [
        "for want of contexts there is no score of groundedness: the JMESPath of contexts (sources[].txt) found none "
        "in any reply; the reply is an object of reply.text, sources[].text"
    ]
    assert len(misspelt.json) == 3
    assert given.code == 0, given.err
    assert hints(given.err) == []


def test_retrieval_measures_are_told_to_need_the_documents_of_contexts(run: Run, here: Path) -> None:
    quote = {"document": "hubs.md", "quote": "takes grease"}
    Path("set").mkdir()
    write("set/golden.jsonl", {"id": "a", "question": "What does a hub take?", "evidence": [quote]})
    paths = ("--jmespath", "answer: reply.text", "--jmespath", "contexts: sources[].text")
    with application(lambda *_: (200, SAID)) as app:
        told = run("score", "--url", app.url, "--questions", "set", *paths, "-m", "recall@1")
    (hint,) = hints(told.err)
    assert "for want of the documents of contexts there is no score of recall@1" in hint
    assert "--jmespath 'contexts: PATH[].{document: NAME, text: NAME}'" in hint


def test_what_no_answer_came_for_lacks_nothing(run: Run, here: Path) -> None:
    write("q.jsonl", {"question": "Why?"})
    with application(lambda *_: (404, {})) as app:
        assert hints(run("score", "--url", app.url, "--questions", "q.jsonl").err) == []


@pytest.mark.parametrize(
    ("more", "arguments", "told"),
    [
        (
            {},
            (),
            ["for want of contexts there is no score of groundedness, utilization: in a column contexts (in other "
             "formats retrieved_contexts, retrieval_context or context)",
             "for want of references there is no score of completeness, semantic_similarity, rougeL: in a column "
             "reference (in other formats ground_truth, expected_output, expectations or reference_outputs)"],
        ),
        ({"contexts": ["A hub takes grease, never oil."], "reference": "Grease."}, (), []),
        ({}, ("-m", "relevance"), []),
        (
            {"reference": "Grease."},
            ("-m", "groundedness", "-m", "completeness"),
            ["for want of contexts there is no score of groundedness: in a column contexts (in other formats "
             "retrieved_contexts, retrieval_context or context)"],
        ),
    ],
)  # fmt: skip
def test_a_file_is_told_which_columns_it_lacks(
    run: Run, here: Path, more: dict[str, Any], arguments: tuple[str, ...], told: list[str]
) -> None:
    row = {"question": "What does a hub take?", "answer": "A hub takes grease.", **more}
    result = run("score", write("rows.jsonl", row), *arguments)
    assert result.code == 0
    assert hints(result.err) == told
