from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genaiops.errors import IntegrityError, NotFound
from genaiops.evaluation import Run, Subject, evaluate, find_run, list_runs
from genaiops.evaluation.outcomes import outcome_from_json, outcome_to_json
from genaiops.evaluation.provenance import git_state, versions
from genaiops.evaluation.records import Git
from genaiops.evaluation.runs import new_run
from genaiops.golden_sets import GoldenSet
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Citation,
    Evidence,
    Hit,
    NotApplicable,
    Query,
    Score,
    Unscored,
    Usage,
    canonical_json,
    digest_of,
)

CASES = (
    Case("a", "What is a run?", reference="A record.", evidence=(Evidence("d", "run"),), tags=("x",)),
    Case("b", "Who?", "unanswerable"),
)
CHUNK = Chunk("d", 0, 5, "A run", "s", "Runs\nA run", {"headings": ["Runs"], "n": 1})
ANSWER = Answer(
    Query("What is a run?", "a"),
    "A record [1]. ß\u2028",
    False,
    (Citation(1, CHUNK.id, "d", 0, 5, "A run"),),
    (Hit(CHUNK, 0.1 + 0.2, 1),),
    Usage(3, 2, True),
    None,
    {"total": 0.25},
    "m",
    "p",
    "i",
)


@pytest.fixture(scope="module")
def run() -> Run:
    def ask(query: Query) -> Answer:
        if query.id == "b":
            raise RuntimeError("no <b>answer</b>")
        return ANSWER

    subject = Subject("handbook", {"flow": "f", "prompt": "p", "index": "i"}, {"retrieval": {"top_k": 6}})
    return evaluate(ask, GoldenSet("mine", CASES), measures=["exact_match", "refusal", "latency_s"], subject=subject)


def test_a_run_comes_back_as_it_was_saved(run: Run, tmp_path: Path) -> None:
    folder = run.save(tmp_path / "runs")
    assert folder == tmp_path / "runs" / run.id
    assert Run.load(folder) == Run.load(folder / "run.json") == run
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.id]


def test_saving_twice_is_saving_once(run: Run, tmp_path: Path) -> None:
    assert run.save(tmp_path) == run.save(tmp_path)
    assert len(list_runs(tmp_path)) == 1


def test_the_id_is_the_time_and_the_digest_of_the_content(run: Run) -> None:
    assert re.fullmatch(r"\d{8}t\d{9}z-[0-9a-f]{8}", run.id)
    now = datetime(2026, 11, 21, 8, 30, 5, tzinfo=UTC)
    once, again = new_run(run, now=now), new_run(replace(run, id="x"), now=now)
    assert once == again
    assert once.id.startswith("20261121t083005000z-")
    assert once.created_at == "2026-11-21T08:30:05.000+00:00"
    assert new_run(replace(run, seed=1), now=now).id != once.id


def test_runs_of_one_second_are_listed_in_the_order_they_were_made(run: Run, tmp_path: Path) -> None:
    made = [
        new_run(run, now=datetime(2026, 11, 21, 8, 30, 5, milliseconds * 1000, tzinfo=UTC))
        for milliseconds in (999, 0, 20, 3)
    ]
    for each in made:
        each.save(tmp_path)
    assert [path.name for path in list_runs(tmp_path)] == [made[at].id for at in (1, 3, 2, 0)]


def test_the_record_says_how_it_was_made(run: Run) -> None:
    assert {"genaiops", "python", "platform", "numpy"} <= set(run.versions)
    assert run.versions == versions()
    assert (run.seed, run.confidence) == (0, 0.95)


def test_an_edited_run_is_refused(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path) / "run.json"
    edited = path.read_text(encoding="utf-8").replace('"unscored":"no answer', '"unscored":"some answer')
    assert edited != path.read_text(encoding="utf-8")
    path.write_text(edited, encoding="utf-8")
    with pytest.raises(IntegrityError, match="was changed after it was written"):
        Run.load(path)


def test_a_run_of_another_version_is_refused_by_number(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path) / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "schema_version": 2}), encoding="utf-8")
    with pytest.raises(IntegrityError, match="schema version 2, this genaiops reads 1"):
        Run.load(path)


NAN = '{"schema_version": 1, "digest": "0", "run": {"seed": NaN}}'
DEEP = '{"schema_version": 1, "digest": "0", "run": %s}'


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"schema_version": 1}', "\ud800", NAN]
    + [DEEP % ("[" * depth + "]" * depth) for depth in (400, 900, 100_000)],
)
def test_a_damaged_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(IntegrityError):
        Run.load(tmp_path)


def test_a_record_with_parts_missing_is_refused_whatever_its_digest(run: Run, tmp_path: Path) -> None:
    whole = run.to_json()
    for key in ("results", "summaries", "id", "subject"):
        part = {name: value for name, value in whole.items() if name != key}
        record = {"schema_version": 1, "digest": digest_of(part), "run": part}
        (tmp_path / "run.json").write_text(canonical_json(record), encoding="utf-8")
        with pytest.raises(IntegrityError, match="not complete"):
            Run.load(tmp_path)


def test_no_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Run.load(tmp_path / "none")


def test_runs_are_listed_oldest_first_without_what_is_half_written(run: Run, tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    late, early = (new_run(run, now=datetime(2026, month, 1, tzinfo=UTC)) for month in (9, 3))
    for one in (late, early):
        one.save(tmp_path)
    (tmp_path / ".tmp-1-abc").mkdir()
    (tmp_path / ".tmp-1-abc" / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    assert [path.name for path in list_runs(tmp_path)] == [early.id, late.id]
    assert find_run(tmp_path, late.id) == find_run(tmp_path, "20260901") == late
    assert find_run(tmp_path, early.id[-8:]) == early
    with pytest.raises(NotFound, match="2 runs match '2026'"):
        find_run(tmp_path, "2026")
    with pytest.raises(NotFound, match="no run 'x'"):
        find_run(tmp_path, "x")
    with pytest.raises(NotFound, match="no run ''"):
        find_run(tmp_path, "")


def test_outcomes_keep_their_kind() -> None:
    for outcome in (Score(0.5), Unscored("why"), NotApplicable("why")):
        assert outcome_from_json(outcome_to_json(outcome)) == outcome
    for bad in ({}, {"value": "x"}, {"score": 1}):
        with pytest.raises(ValueError, match="not an outcome"):
            outcome_from_json(bad)


def test_the_commit_and_whether_anything_differs_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_state(tmp_path) == Git()

    def git(*arguments: str) -> str:
        options = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        done = subprocess.run(["git", *options, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    assert git_state(tmp_path) == Git()  # no commit yet
    (tmp_path / "flow.yaml").write_text("a: 1\n", encoding="utf-8")
    git("add", "flow.yaml")
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD")
    assert git_state(tmp_path) == Git(commit, dirty=False)
    (tmp_path / "new.prompty").write_text("", encoding="utf-8")
    assert git_state(tmp_path) == Git(commit, dirty=True)
    monkeypatch.setenv("PATH", os.devnull)
    assert git_state(tmp_path) == Git()
