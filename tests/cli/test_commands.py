"""Every command: what it prints for people and for scripts, and the code it ends with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from genaiops.generation import REFUSAL
from genaiops.testing import Reply, ScriptedModelServer
from tests.cli.commands import Run
from tests.flow import workshop
from tests.small_project import SmallProject

FLOW = "flows/workshop"
QUESTION = "What are loose hub bearings packed with?"


# --- build, ask, chunks, search -------------------------------------------------


def test_build_says_what_it_did_and_what_it_set_aside(run: Run, root: Path) -> None:
    assert run("build", FLOW, "--json").json["unchanged"] is True
    (root / "manual" / "empty.md").write_text("")
    (root / "manual" / "new.md").write_text("# New\n\nTandems need longer cables.\n")
    told = run("build", FLOW, "--json").json
    assert {"index", "documents", "chunks", "embedded", "quarantined", "unchanged", "seconds"} <= set(told)
    assert (told["documents"], told["embedded"], told["unchanged"]) == (5, 1, False)
    assert [bad["document_id"] for bad in told["quarantined"]] == ["empty.md"]
    plain = run("build", FLOW)
    assert plain.code == 0
    assert "quarantined empty.md" in plain.err
    assert "nothing changed" in plain.out
    strict = run("build", FLOW, "--strict")
    assert strict.code == 2
    assert "empty.md" in strict.err


def test_build_names_the_kinds_of_files_that_it_does_not_read(run: Run, root: Path) -> None:
    for name in ("plan.dwg", "a/site.DWG", "LICENCE", ".hidden"):
        (root / "manual" / name).parent.mkdir(exist_ok=True)
        (root / "manual" / name).write_text("x")
    assert run("build", FLOW, "--set", "documents.include=['**/*.md']", "--json").json["unread"] == {}
    told = run("build", FLOW, "--set", "documents.include=['**']")
    assert "3 files of kinds that are not read: no ending 1, .dwg 2" in told.err
    assert run("build", FLOW, "--dry-run", "--set", "documents.include=['**']", "--json").json["unread"] == {
        "": 1, ".dwg": 2
    }  # fmt: skip


def test_a_dry_run_ends_as_the_build_would_when_the_quality_bar_is_missed(run: Run, root: Path) -> None:
    result = run("build", FLOW, "--dry-run", "--set", "quality.min_documents=99")
    assert result.code == 1
    assert "misses the quality bar: documents kept: 4 < min_documents 99" in result.err


def test_ask_gives_the_answer_with_its_citations(run: Run, root: Path) -> None:
    answer = run("ask", FLOW, QUESTION, "--json").json
    assert set(answer) == {
        "query", "text", "refused", "citations", "hits", "usage", "cost_usd", "seconds", "model", "prompt", "index",
        "release", "sensitivity", "searched",
    }  # fmt: skip
    (citation,) = answer["citations"]
    text = (root / "manual" / citation["document_id"]).read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    plain = run("ask", FLOW, QUESTION)
    assert plain.out.splitlines()[0] == answer["text"]
    assert f"[{citation['marker']}] wheels.md, characters {citation['start']}-{citation['end']}" in plain.out
    refused = run("ask", FLOW, QUESTION, "--set", "prompt=mute")
    assert (refused.code, refused.out) == (0, REFUSAL + "\n")


def test_chunks_are_json_lines_with_exact_spans(run: Run, root: Path) -> None:
    rows = [json.loads(line) for line in run("chunks", FLOW).out.splitlines()]
    assert rows == run("chunks", FLOW, "--json").json
    assert len(rows) > 4
    for row in rows:
        text = (root / "manual" / row["document_id"]).read_text(encoding="utf-8")
        assert text[row["start"] : row["end"]] == row["text"]
        assert row["id"]


def test_search_writes_a_trec_run(run: Run, root: Path) -> None:
    queries = [{"query_id": "q 1", "text": QUESTION}, {"query_id": "q2", "text": "deposit"}]
    Path("queries.jsonl").write_text("\n\n".join(json.dumps(query) for query in queries))
    told = run("search", FLOW, "--queries", "queries.jsonl", "--k", 3, "--out", "run.trec", "--json").json
    assert told == {"queries": 2, "results": 6, "out": "run.trec"}
    rows = [line.split(" ") for line in Path("run.trec").read_text().splitlines()]
    assert [row[0] for row in rows] == ["q%201"] * 3 + ["q2"] * 3
    assert [row[3] for row in rows] == ["1", "2", "3"] * 2
    assert {(row[1], row[5]) for row in rows} == {("Q0", "genaiops")}
    assert rows[0][2] == "wheels.md"
    assert len({row[2] for row in rows[:3]}) == 3  # three documents, not three chunks of one
    scores = [float(row[4]) for row in rows[:3]]
    assert scores == sorted(scores, reverse=True)
    by_chunk = run("search", FLOW, "--queries", "queries.jsonl", "--k", 50, "--by", "chunk")
    assert len(by_chunk.out.splitlines()) == 2 * len(run("chunks", FLOW).out.splitlines())


@pytest.mark.parametrize(
    ("content", "told"),
    [('{"query_id": "a", "text": "x"}\n{broken', ":2"), ('\n{"query_id": "a"}', ":2"), ("", "no query"),
     ('{"query_id": "a", "text": " "}', ":1"), ("[1]", ":1")],
)  # fmt: skip
def test_a_broken_file_of_queries_is_told_with_its_line(run: Run, root: Path, content: str, told: str) -> None:
    Path("queries.jsonl").write_text(content)
    result = run("search", FLOW, "--queries", "queries.jsonl")
    assert (result.code, result.out) == (2, "")
    assert f"queries.jsonl{told}" in result.err or told in result.err


def test_what_else_a_line_of_a_file_of_queries_holds_is_no_matter(run: Run, root: Path) -> None:
    """Metadata of other programs comes with NaN, names given twice and half surrogate pairs."""
    line = '{"query_id": "a", "text": "deposit", "m": NaN, "x": 1, "x": {"text": 2, "text": 3}, "t": "\\ud800"}'
    Path("queries.jsonl").write_text(line)
    result = run("search", FLOW, "--queries", "queries.jsonl", "--k", 1)
    assert (result.code, result.out.split()[0]) == (0, "a"), result.err
    for wrong, told in (
        ('{"query_id": NaN, "text": "deposit"}', "NaN is not JSON"),
        ('{"query_id": "a", "text": "deposit", "text": "bike"}', "key 'text' is given twice"),
        ('{"query_id": "a", "text": "deposit \\ud800"}', "surrogate"),
    ):
        Path("queries.jsonl").write_text(wrong)
        refused = run("search", FLOW, "--queries", "queries.jsonl")
        assert (refused.code, told in refused.err) == (2, True), refused.err


# --- golden lint, score, evaluate, gate -------------------------------------------


def test_lint_counts_errors_and_ends_with_two(run: Run, small_project: SmallProject) -> None:
    clean = run("golden", "lint", small_project.flow, "--json").json
    assert (clean["golden_set"], clean["cases"]) == ("kettles", 8)
    assert [problem for problem in clean["problems"] if problem["severity"] == "error"] == []
    lines = small_project.golden.read_text().splitlines()
    lines[1] = lines[1].replace('"quote": "From abroad', '"quote": "From the moon')
    small_project.golden.write_text("\n".join(lines))
    result = run("golden", "lint", small_project.flow)
    assert result.code == 2
    assert "return-abroad" in result.out
    assert "1 errors" in result.out
    assert not small_project.home.joinpath("indexes").exists()  # a lint needs no index


@pytest.mark.parametrize(
    ("broken", "told"),
    [('{"id": "x", "question"', "golden.jsonl:9"), ('{"id": "chairman", "question": "Who?"}', "chairman"),
     ('{"id": "x", "question": "Who?", "evidnce": []}', "evidnce"), ('{"question": "Who?"}', "golden.jsonl:9")],
)  # fmt: skip
def test_a_golden_set_that_cannot_be_read_is_told_with_its_line(
    run: Run, small_project: SmallProject, broken: str, told: str
) -> None:
    small_project.golden.write_text(small_project.golden.read_text() + broken + "\n")
    result = run("golden", "lint", small_project.flow)
    assert result.code == 2
    assert told in result.err
    assert "golden.jsonl" in result.err


def test_score_scores_rows_of_any_application(run: Run, root: Path) -> None:
    rows = [
        {
            "id": "a",
            "question": "What?",
            "contexts": ["Hubs take grease."],
            "answer": "Grease.",
            "reference": "Grease.",
        },
        {"id": "b", "question": "What?", "contexts": ["Hubs take grease."], "answer": "Oil.", "reference": "Grease."},
        {"id": "c", "question": "What?", "contexts": [], "answer": "Grease."},
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scores = run("score", "--measure", "exact_match", "-m", "token_f1", "rows.jsonl", "--json").json
    assert len(scores) == 6
    assert all({"id", "measure", "value", "unscored"} <= set(score) for score in scores)
    exact = {score["id"]: score["value"] for score in scores if score["measure"] == "exact_match"}
    assert (exact["a"], exact["b"], exact["c"]) == (1.0, 0.0, None)
    assert run("score", "-m", "exact_match", "rows.jsonl", "--out", "scores.jsonl").code == 0
    assert [json.loads(line)["value"] for line in Path("scores.jsonl").read_text().splitlines()] == [1.0, 0.0, None]
    unknown = run("score", "-m", "groundednes", "rows.jsonl")
    assert unknown.code == 2
    assert "groundedness" in unknown.err


def test_evaluate_prints_a_card_and_writes_its_reports(run: Run, root: Path) -> None:
    options = ("--set", "evaluation.measures=[recall@4, refusal]")
    told = run("evaluate", FLOW, *options, "--json").json
    assert (root / ".genaiops" / "runs" / told["run"] / "run.json").is_file()
    assert set(told["summaries"]) == {"recall@4", "refusal"}
    assert {"mean", "low", "high", "scored", "unscored"} <= set(told["summaries"]["recall@4"])
    assert Path(told["report"]).is_file()
    reports = ("--html", "r.html", "--junit", "r.xml", "--markdown", "r.md")
    result = run("evaluate", FLOW, *options, *reports, "--release", "prod")
    assert result.code == 0
    assert "recall@4" in result.out
    assert "<html" in Path("r.html").read_text()
    assert "<testsuite" in Path("r.xml").read_text()
    assert "Evaluation of workshop" in Path("r.md").read_text()


def test_gate_passes_fails_and_cannot_tell_with_three_codes(run: Run, root: Path) -> None:
    passed = run("gate", FLOW, "--json")
    assert (passed.code, passed.json["verdict"]) == (0, "pass")
    failed = run("gate", FLOW, "--set", "prompt=mute", "--against", "prod", "--junit", "gate.xml")
    assert failed.code == 1
    assert "verdict: fail" in failed.out
    assert "FAIL completeness: 1.000 worse than the champion" in failed.out
    assert "FAIL answered: 1.000 worse than the champion" in failed.out
    assert "failure" in Path("gate.xml").read_text()
    workshop.drop_a_third(root)
    unclear = run("gate", FLOW, "--json")
    assert (unclear.code, unclear.json["verdict"]) == (3, "inconclusive")
    assert any("deleted or changed" in reason for reason in unclear.json["reasons"])


# --- release, promote and the rest of the way --------------------------------------


def test_a_release_moves_through_the_environments_and_back(run: Run, root: Path) -> None:
    shutil.rmtree(root / ".genaiops" / "releases")
    (root / ".genaiops" / "registry.db").unlink()
    empty = run("status", "--json").json["environments"]
    assert [(row["name"], row["release"]) for row in empty] == [("dev", None), ("test", None), ("prod", None)]
    assert "no release yet" in run("releases").out
    first = run("release", FLOW, "--json").json
    assert {"release", "flow", "run", "verdict"} <= set(first)
    skipped = run("promote", first["release"][:12], "--to", "prod")
    assert skipped.code == 1
    assert "genaiops promote" in skipped.err
    for environment in ("dev", "test", "prod"):
        assert run("promote", first["release"][:8], "--to", environment).code == 0
    told = run("release", FLOW, "--set", "retrieval.top_k=5")
    assert told.code == 0
    assert "next: genaiops promote" in told.out
    second = run("releases", "--json").json["releases"][-1]["digest"]
    assert second != first["release"]
    assert run("promote", second, "--to", "dev", "--json").json["release"] == second
    changes = run("diff", "prod", "dev", "--json").json["changes"]
    assert any("top_k" in change["part"] for change in changes)
    assert "the same release" in run("diff", "prod", "test").out
    assert run("rollback", "dev", "--json").json["release"] == first["release"]
    held = {row["name"]: row["release"] for row in run("status", "--json").json["environments"]}
    assert held == dict.fromkeys(("dev", "test", "prod"), first["release"])
    assert run("rollback", "dev").code == 2
    assert run("audit", "verify", "--json").json["ok"] is True
    assert "nothing was altered" in run("audit", "verify").out


def test_what_the_champion_serves_is_not_released_a_second_time(run: Run, root: Path) -> None:
    """Its rules against the champion would have compared a run with itself."""
    before = run("releases", "--json").json["releases"]
    entries = run("audit", "verify", "--json").json["entries"]
    again = run("release", FLOW, "--json").json
    assert (again["release"], again["recorded"]) == (before[0]["digest"], False)
    told = run("release", FLOW)
    assert (told.code, "is in prod already, earned by this run: nothing was recorded" in told.out) == (0, True)
    assert "next: genaiops promote" not in told.out
    assert run("releases", "--json").json["releases"] == before
    assert run("audit", "verify", "--json").json["entries"] == entries
    run("evaluate", FLOW)
    anew = run("release", FLOW, "--json").json  # compared with the champion's run
    assert (anew["release"] != again["release"], anew["recorded"]) == (True, True)


def test_a_champion_that_fails_a_stricter_gate_is_told_so_by_release(run: Run, root: Path) -> None:
    (root / FLOW / "gate.yaml").write_text("rules:\n  - {measure: answered, at_most: 0.001}\n")
    assert run("release", FLOW).code == 1


def test_a_flow_that_fails_is_not_released(run: Run, root: Path) -> None:
    before = run("releases", "--json").json
    result = run("release", FLOW, "--set", "prompt=mute")
    assert result.code == 1
    assert "answered" in result.err
    assert run("releases", "--json").json == before


def test_keys_are_shown_once_listed_without_and_taken_back(run: Run, root: Path) -> None:
    made = run("keys", "create", "website", "--json").json
    assert set(made) == {"name", "key", "access"}
    assert made["key"] not in (root / ".genaiops" / "keys.json").read_text()
    listed = run("keys", "list", "--json")
    assert [key["name"] for key in listed.json["keys"]] == ["website"]
    assert made["key"] not in listed.out
    assert run("keys", "create", "website").code == 2
    assert run("keys", "revoke", "website").code == 0
    assert "revoked" in run("keys", "list").out
    assert run("keys", "revoke", "nobody").code == 2


def test_serve_of_an_unknown_environment_is_refused(run: Run, root: Path) -> None:
    result = run("serve", "--env", "staging", "--port", 0)
    assert result.code == 2
    assert "dev, test, prod" in result.err


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("ask", "nowhere", "q"), ("ask", FLOW, " "), ("ask", FLOW, QUESTION, "--set", "retrieval.topk=3"),
     ("build", FLOW, "--set", "chunking.size=ten"), ("gate", FLOW, "--against", "moon"),
     ("promote", "zz", "--to", "dev"),
     ("promote", "abcdef12", "--to", "dev"), ("rollback", "moon"), ("search", FLOW, "--queries", "none.jsonl"),
     ("nonsense",), ("ask", FLOW), ("evaluate", FLOW, "--release", "abcdef12"), ("diff", "dev", "123456")],
)  # fmt: skip
def test_what_the_user_must_change_ends_with_two_and_prints_no_traceback(
    run: Run, root: Path, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "rror" in result.err
    assert "Traceback" not in result.err


def test_a_flow_that_was_never_built_says_how_to_build_it(run: Run, small_project: SmallProject) -> None:
    for command in (("ask", "q"), ("evaluate",), ("gate",), ("release",), ("chunks",)):
        result = run(command[0], small_project.flow, *command[1:])
        assert result.code == 2
        assert "genaiops build" in result.err


def test_an_endpoint_that_is_down_or_talks_garbage_ends_with_three(run: Run, root: Path) -> None:
    with ScriptedModelServer([Reply(body=b"garbage")]) as server:
        options = ("--set", "generation.model=house", "--set", f"generation.base_url={server.base_url}", "--set",
                   "generation.timeout_s=0.5")  # fmt: skip
        garbage = run("ask", FLOW, QUESTION, *options)
    down = run("ask", FLOW, QUESTION, *options)
    for result in (garbage, down):
        assert (result.code, result.out) == (3, "")
        assert "house" in result.err


def test_an_outage_during_an_evaluation_is_no_grade_and_the_gate_cannot_tell(run: Run, root: Path) -> None:
    with ScriptedModelServer(Reply(status=400)) as server:
        options = ("--set", "generation.model=house", "--set", f"generation.base_url={server.base_url}")
        result = run("gate", FLOW, *options, "--json")
    assert (result.code, result.json["verdict"]) == (3, "inconclusive")
    assert any("coverage" in reason for reason in result.json["reasons"])


def test_the_version_is_told(run: Run) -> None:
    from genaiops import __version__

    assert run("--version").out == f"genaiops {__version__}\n"


def test_a_filter_that_permits_nothing_says_where_it_looked(run: Run, root: Path) -> None:
    result = run("ask", FLOW, QUESTION, "--where", "product=kettle")
    assert result.code == 0
    assert "no chunk was permitted" in result.err
    assert "no chunk was permitted" not in run("ask", FLOW, QUESTION, "--where", "document=*").err
