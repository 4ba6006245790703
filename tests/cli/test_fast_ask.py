"""`genaiops ask` in a fresh process: the first answer waits for torch, the next ones do not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from genaiops.embedding.loading import LocalEmbedder
from tests.cli.commands import runner
from tests.faults.build_children import LONG
from tests.small_project import SmallProject

QUESTION = "How long does the warranty of a kettle last?"
_ASK = """
import json, sys
from genaiops.cli import main
sys.argv = ["genaiops", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"torch", "transformers", "sentence_transformers", "scipy", "bm25s", "mlflow", "openai", "langchain_core",
             "sqlalchemy", "pandas", "fsspec", "ray", "pypdf", "bs4"}
    print(json.dumps(sorted(heavy & set(sys.modules))), file=sys.stderr)
"""


SLOW = "loading the embedding model; after the answer its fast start is made, once for this model"


def asked(project: SmallProject, *more: str, told: bool = False) -> tuple[str, list[str]]:
    """What a fresh process answered, and which heavy packages it had imported by then.

    Its stderr is no terminal and holds the line on the slow start, once if `told`, else never.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ASK, "ask", str(project.flow), QUESTION, *more],
        cwd=project.root, capture_output=True, text=True, check=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )  # fmt: skip
    *before, last = done.stderr.splitlines()
    assert sum(line.startswith(SLOW) for line in before) == told
    heavy: list[str] = json.loads(last)
    return done.stdout, heavy


def test_a_session_is_made_after_the_answer_was_printed_and_only_by_ask(
    small_project: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner(monkeypatch, capsys)
    printed: list[str] = []
    monkeypatch.setattr(LocalEmbedder, "lacks_fast_session", True)
    monkeypatch.setattr(LocalEmbedder, "make_fast_session", lambda self: printed.append(capsys.readouterr().out))
    assert run("build", small_project.flow).code == 0
    assert printed == []
    assert run("ask", small_project.flow, QUESTION).code == 0
    assert len(printed) == 1
    assert "two years" in printed[0]


def test_the_slow_start_is_told_once_on_stderr_and_never_on_stdout(
    small_project: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner(monkeypatch, capsys)
    lacks = [True]
    monkeypatch.setattr(LocalEmbedder, "lacks_fast_session", property(lambda self: lacks[0]))
    monkeypatch.setattr(LocalEmbedder, "make_fast_session", lambda self: lacks.__setitem__(0, False))
    missing = run("ask", small_project.flow, QUESTION)
    assert missing.code == 2 and SLOW not in missing.err  # nothing is loaded for a flow without an index
    assert run("build", small_project.flow).code == 0
    told = run("ask", small_project.flow, QUESTION, "--json")
    assert told.err.count("\n") == 1 and told.err.startswith(SLOW)
    assert "two years" in told.json["text"]
    assert run("ask", small_project.flow, QUESTION).err == ""


def test_full_text_answers_import_nothing_heavy(small_project: SmallProject) -> None:
    from genaiops import Flow

    Flow.load(small_project.flow).build()
    answer, heavy = asked(small_project, "--set", "retrieval.search=full_text", "--set", "embedding.fast_start=true")
    assert "two years" in answer
    assert heavy == []
    assert not (small_project.home / "sessions").exists()  # nor makes what it does not need


@pytest.mark.skipif(not LONG, reason="makes a session, which takes half a minute on a busy machine")
def test_the_second_question_of_a_machine_needs_no_torch_and_a_damaged_session_is_made_anew(
    small_project: SmallProject,
) -> None:
    from genaiops import Flow

    Flow.load(small_project.flow).build()
    fast = ("--set", "embedding.fast_start=true")
    first, heavy = asked(small_project, *fast, told=True)
    assert "torch" in heavy
    second, heavy = asked(small_project, *fast)
    assert (second, heavy) == (first, [])
    (graph,) = (small_project.home / "sessions").glob("*/model.onnx")
    shutil.copy(graph.with_name("session.json"), graph)
    third, heavy = asked(small_project, *fast, told=True)
    assert third == first and "torch" in heavy
    fourth, heavy = asked(small_project, *fast)
    assert (fourth, heavy) == (first, [])
