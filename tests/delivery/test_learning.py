"""The vector search's share, learnt from a golden set's training part only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genaiops.cli.app import app
from genaiops.delivery.learning import learn_vector_weight, training_part
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Evidence
from tests.flow import workshop


def case(number: int, *tags: str) -> Case:
    return Case(f"case-{number}", "Why?", evidence=(Evidence("a.md", "because"),), tags=tags)


def test_the_training_part_is_what_is_tagged_or_a_half_that_stays_the_same() -> None:
    many = tuple(case(number) for number in range(200))
    half = training_part(GoldenSet("g", many))
    assert 70 < len(half) < 130
    fewer = {c.id for c in training_part(GoldenSet("g", many[:100]))}
    assert fewer == {c.id for c in half} & {c.id for c in many[:100]}
    tagged = (*many[:50], case(500, "train"), case(501, "train", "number"))
    assert [c.id for c in training_part(GoldenSet("g", tagged))] == ["case-500", "case-501"]
    assert training_part(GoldenSet("g", (Case("none", "Why?"),))) == ()


@pytest.fixture
def flow_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    folder = workshop.write(tmp_path)
    golden = tmp_path / "eval_datasets" / "workshop" / "golden.jsonl"
    rows = [{**row, "tags": ["train"] if number % 2 else []} for number, row in enumerate(workshop.cases())]
    golden.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Flow.load(folder).build()
    return folder


def files(flow_folder: Path) -> dict[Path, bytes]:
    """Everything of the project but its state."""
    root = flow_folder.parents[1]
    found = (path for path in root.rglob("*") if path.is_file() and ".genaiops" not in path.parts)
    return {path: path.read_bytes() for path in found}


def test_learning_prints_the_share_its_interval_and_the_line_and_writes_nothing(flow_folder: Path) -> None:
    before = files(flow_folder)
    flow = Flow.load(flow_folder)
    learnt = learn_vector_weight(flow)
    assert 0 <= learnt.low <= learnt.weight <= learnt.high <= 1
    assert learnt.questions >= 10
    assert learnt == learn_vector_weight(flow)
    done = CliRunner().invoke(app, ["retrieval", "learn", str(flow_folder)])
    assert done.exit_code == 0, done.output
    assert f"vector_weight {learnt.weight:g}, {learnt.low:g} to {learnt.high:g} in cross-validation" in done.output
    assert f"retrieval: {{search: hybrid, vector_weight: {learnt.weight:g}}}" in done.output
    told = json.loads(CliRunner().invoke(app, ["retrieval", "learn", str(flow_folder), "--json"]).output)
    assert told["weight"] == learnt.weight and told["helps"] is learnt.helps
    assert files(flow_folder) == before


def test_nothing_is_learnt_from_too_little_or_where_there_is_no_share(flow_folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no weight to learn with search: vector"):
        learn_vector_weight(Flow.load(flow_folder, overrides=["retrieval.search=vector"]))
    golden = Flow.load(flow_folder).golden_set_path
    file = golden / "golden.jsonl" if golden.is_dir() else golden
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:6]), encoding="utf-8")
    with pytest.raises(GoldenSetError, match="a weight needs at least 10"):
        learn_vector_weight(Flow.load(flow_folder))
