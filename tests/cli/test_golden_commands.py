"""The golden commands on the workshop: lint, stats, split, draft, review, promote, import, export."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from genaiops.delivery import forget
from genaiops.delivery.golden_work import desk_of
from genaiops.errors import Conflict
from genaiops.files import locked
from genaiops.golden_sets import GoldenSet
from tests.cli.commands import Run, Writer
from tests.flow import workshop

FLOW = "flows/workshop"
SET = Path("eval_datasets/workshop")


def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def propose(root: Path, *rows: Mapping[str, object]) -> None:
    (root / SET / "proposed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


QUOTE = {"document": "wheels.md", "quote": "Touring tyres are inflated to 4.5 bar."}
ASKED = {"id": "bar", "question": "Which bar suits tourers best?", "reference": "4.5 bar.", "evidence": [QUOTE]}


# --- lint and stats -----------------------------------------------------------------


def test_lint_names_the_code_and_ignoring_or_strictness_decide_the_exit_code(root: Path, run: Run) -> None:
    quiet = ("golden", "lint", FLOW, "--ignore", "near_duplicate", "--ignore", "ambiguous")
    assert run(*quiet, "--strict").code == 0
    file = root / SET / "golden.jsonl"
    file.write_text(file.read_text() + json.dumps({**ASKED, "question": "Why is it?"}) + "\n")
    told = run("golden", "lint", FLOW, "--ignore", "near_duplicate")
    assert told.code == 0
    assert f"{file}:33: warning ambiguous: case bar: 'Why is it?' does not say what it asks about" in told.out
    assert run("golden", "lint", FLOW, "--strict", "--ignore", "near_duplicate").code == 2
    assert run(*quiet, "--strict").code == 0
    assert "codes are unwinnable, stale" in run("golden", "lint", FLOW, "--ignore", "typo").err
    problems = run("golden", "lint", FLOW, "--json").json["problems"]
    assert {problem["code"] for problem in problems} <= {"ambiguous", "near_duplicate"}


def test_lint_finds_a_question_in_a_prompt_and_a_passage_that_changed(root: Path, run: Run) -> None:
    assert run("golden", "lock", FLOW, "--as", "ada").out.startswith("32 cases in ")
    prompt = root / FLOW / "prompts" / "cited.prompty"
    prompt.write_text(prompt.read_text().replace("Answer from", "Q: When are brake pads replaced?\n\nAnswer from"))
    page = root / "manual" / "wheels.md"
    page.write_text(page.read_text().replace("Touring tyres", "Last year that was so. Touring tyres"))
    told = run("golden", "lint", FLOW, "--ignore", "near_duplicate")
    assert told.code == 2
    assert "error leaked: case brakes-0: prompt 'cited' holds its question" in told.out
    assert "warning stale: case wheels-0: the passage around 'Touring tyres are inflated to 4.5 bar.'" in told.out
    assert run("golden", "lock", FLOW, "--case", "wheels-0", "--json").json["locked"] == ["wheels-0"]
    assert "stale" not in run("golden", "lint", FLOW, "--ignore", "near_duplicate").out
    assert run("golden", "lock", FLOW, "--case", "nothing").code == 2


def test_stats_counts_what_the_set_holds(stored: Path, run: Run) -> None:
    assert run("golden", "split", FLOW).code == 0
    told = run("golden", "stats", FLOW, "--json").json
    assert (told["cases"], told["kinds"]) == (32, {"answerable": 24, "unanswerable": 8})
    assert (len(told["documents"]), told["documents_in_all"], told["sections_covered"]) == (4, 5, 24)
    assert sum(told["parts"].values()) == 32 and told["holdout_looks"] == 0
    assert 0.2 < told["smallest_drop"] < 0.6
    assert "covers 4 of 5 documents, 24 of 29 sections" in run("golden", "stats", FLOW).out


# --- review, promote -----------------------------------------------------------


def test_review_accepts_edits_rejects_skips_and_quits(stored: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("golden", "draft", FLOW)
    hook = "A storage hook is the steel bracket that carries a bicycle by its front wheel."
    edited = ("What carries a stored bicycle?", "A hook.", "storage, hook", "no such quote")
    typing(monkeypatch, "r", "?", "e", *edited, "a",
           "e", "", "", "", hook, "a", "s")  # fmt: skip
    told = run("golden", "review", FLOW, "--as", "ada")
    assert told.code == 0, told.err
    assert "'no such quote' does not occur in storage.md" in told.out
    assert told.out.splitlines()[-1] == "1 accepted, 1 rejected, 1 waiting"
    last = GoldenSet.load(stored / SET).cases[-1]
    assert (last.question, last.reference, last.tags) == (
        "What carries a stored bicycle?",
        "A hook.",
        ("storage", "hook"),
    )
    lock = json.loads((stored / SET / "golden.lock.json").read_text())["cases"][last.id]
    assert lock["accepted_by"] == "ada"
    assert json.loads((stored / SET / "rejected.jsonl").read_text())["rejected_by"] == "ada"
    assert run("golden", "lint", FLOW).code == 0
    typing(monkeypatch, "q")
    assert run("golden", "review", FLOW, "--json").json == {"accepted": 0, "rejected": 0, "skipped": 0, "waiting": 1}
    typing(monkeypatch)  # the input ends
    assert run("golden", "review", FLOW).out.splitlines()[-1] == "0 accepted, 0 rejected, 1 waiting"


def test_review_shows_what_an_answer_may_not_hold(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(root, {**ASKED, "forbidden": ["PWNED", "bar 9"]})
    typing(monkeypatch, "a")
    assert "forbidden: PWNED; bar 9\n" in run("golden", "review", FLOW).out
    assert GoldenSet.load(root / SET).cases[-1].forbidden == ("PWNED", "bar 9")


def test_an_edit_that_is_no_text_changes_nothing(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(root, ASKED)
    typing(monkeypatch, "e", "What \udce9?", "", "", "", "a")
    told = run("golden", "review", FLOW)
    assert (told.code, "not UTF-8" in told.out) == (0, True)
    assert GoldenSet.load(root / SET).cases[-1].question == ASKED["question"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_line_that_is_not_utf_8_spoils_no_other(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    propose(root, ASKED, {**ASKED, "id": "second", "question": "What suits racers?"})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xe9\xff\nr\ns\n"), encoding=encoding))
    told = run("golden", "review", FLOW)
    assert (told.code, told.out.splitlines()[-1]) == (0, "0 accepted, 1 rejected, 1 waiting"), told.err
    assert "not UTF-8" in told.out


def test_text_of_strangers_commands_no_terminal(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\u202e\x9b31m\n--- 1 of 1: forged\r\x08"
    propose(root, {**ASKED, "question": f"Which bar?{evil}", "reference": evil + "4.5", "tags": [evil], "note": evil,
                   "proposed_by": evil,
                   "evidence": [QUOTE, {"document": f"x{evil}", "quote": f"y{evil}"}]})  # fmt: skip
    typing(monkeypatch, "e", "", "", "", "", "", "a", "r")
    told = run("golden", "review", FLOW)
    file = root / SET / "golden.jsonl"
    file.write_text(file.read_text() + json.dumps({**ASKED, "tags": [evil], "question": f"Q {evil}?"}) + "\n")
    page = root / "manual" / f"evil{evil.replace('/', '')}.md"
    page.write_text("# Page\n\nNothing.\n")
    outputs = [told, run("golden", "stats", FLOW), run("golden", "lint", FLOW), run("golden", "draft", FLOW)]
    for output in outputs:
        text = output.out + output.err
        assert all(c == "\n" or c.isprintable() for c in text)
        assert "\n--- 1 of 1: forged" not in text
    assert told.code == 0 and "1 rejected" in told.out


def test_promote_accepts_by_id_and_refuses_what_cannot_be_won(root: Path, run: Run) -> None:
    lost = {**ASKED, "id": "lost", "evidence": [{"document": "wheels.md", "quote": "nowhere"}]}
    propose(root, ASKED, lost)
    told = run("golden", "promote", FLOW, "bar", "--as", "ada", "--json").json
    assert told["accepted"] == ["bar"]
    assert GoldenSet.load(root / SET).cases[-1].id == "bar"
    refused = run("golden", "promote", FLOW, "lost")
    assert (refused.code, "does not occur in wheels.md" in refused.err) == (2, True)
    assert run("golden", "promote", FLOW, "bar").code == 2
    assert json.loads((root / SET / "proposed.jsonl").read_text())["id"] == "lost"


def test_promote_accepts_nothing_where_one_id_is_unknown(root: Path, run: Run) -> None:
    propose(root, ASKED)
    before = (root / SET / "golden.jsonl").read_bytes()
    refused = run("golden", "promote", FLOW, "bar", "typo")
    assert (refused.code, "'typo'" in refused.err) == (2, True)
    assert (root / SET / "golden.jsonl").read_bytes() == before
    assert json.loads((root / SET / "proposed.jsonl").read_text())["id"] == "bar"


def test_a_review_goes_on_after_what_somebody_else_decided(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = {**ASKED, "id": "second", "question": "What suits racers?"}
    propose(root, ASKED, second)

    def answers() -> Iterator[str]:
        desk_of(workshop.load(root / FLOW)).reject("bar", by="ben")
        yield "a"
        yield "a"

    given = answers()
    monkeypatch.setattr("builtins.input", lambda: next(given))
    told = run("golden", "review", FLOW, "--as", "ada")
    assert told.code == 0, told.err
    assert "somebody else has decided on it" in told.out
    assert told.out.splitlines()[-1] == "1 accepted, 0 rejected, 0 waiting"


def test_a_killed_review_keeps_every_decision_that_was_made(root: Path, run: Run) -> None:
    propose(root, ASKED, {**ASKED, "id": "second", "question": "What suits racers?"})
    script = "from genaiops.cli import main; main()"
    command = [sys.executable, "-c", script, "golden", "review", FLOW, "--as", "ada"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as review:
        assert review.stdin and review.stdout
        review.stdin.write("a\n")
        review.stdin.flush()
        # It stands at the second proposal, so the first decision was made.
        assert any(line.startswith("--- 2 of 2") for line in review.stdout)
        review.kill()
    assert GoldenSet.load(root / SET).cases[-1].id == "bar"
    assert json.loads((root / SET / "proposed.jsonl").read_text())["id"] == "second"
    assert json.loads((root / SET / "golden.lock.json").read_text())["cases"]["bar"]["accepted_by"] == "ada"
    assert run("golden", "promote", FLOW, "second").code == 0


def test_two_state_folders_do_not_write_one_golden_set_at_a_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {path.name for path in (root / SET).iterdir()}
    monkeypatch.setenv("GENAIOPS_HOME", str(root / "home one"))
    desk = desk_of(workshop.load(root / FLOW))
    with (
        desk.hold(),
        pytest.raises(Conflict, match="writes a golden set"),
        locked(desk.places.golden.parent, wait_s=0, what="writes a golden set"),
    ):
        pass
    monkeypatch.setenv("GENAIOPS_HOME", str(root / "home two"))
    with desk_of(workshop.load(root / FLOW)).hold():
        pass
    assert {path.name for path in (root / SET).iterdir()} == names


# --- split ----------------------------------------------------------------------------


def test_evaluations_of_a_divided_set_ask_dev_and_looks_at_the_holdout_are_counted(root: Path, run: Run) -> None:
    parts = run("golden", "split", FLOW, "--dev", "0.4", "--holdout", "0.4", "--salt", "x", "--json").json["parts"]
    assert min(parts.values()) > 0
    quick = ("--set", "evaluation.measures=[recall@4]", "--json")
    dev = run("evaluate", FLOW, *quick).json
    assert (dev["part"], dev["holdout_looks"]) == ("dev", 0)
    assert dev["summaries"]["recall@4"]["scored"] + dev["summaries"]["recall@4"]["not_applicable"] == parts["dev"]
    looks = [
        run("evaluate", FLOW, *quick, "--split", split).json["holdout_looks"] for split in ("holdout", "all", "train")
    ]
    assert looks == [1, 2, 0]
    told = run("evaluate", FLOW, *quick[:2], "--split", "holdout").out
    assert "workshop (holdout, look 3 at the holdout)" in told
    assert "holdout: looked at 3 times" in run("golden", "stats", FLOW).out
    assert run("evaluate", FLOW, "--split", "test").code == 2
    assert run("golden", "split", FLOW).out.splitlines()[1:] == ["no case changed its part"]
    assert run("golden", "split", FLOW, "--salt", "another").out.splitlines()[1].endswith("cases changed part")
    assert "holdout: looked at 0 times" in run("golden", "stats", FLOW).out


def test_a_damaged_division_is_made_anew_by_the_command_that_its_refusal_names(root: Path, run: Run) -> None:
    path = root / SET / "golden.split.json"
    path.write_text("{")
    refused = run("golden", "split", FLOW)
    assert (refused.code, path.read_text()) == (2, "{")
    remedy = refused.err.strip().rpartition("genaiops ")[2].split()
    assert remedy == ["golden", "split", FLOW, "--dev", "0.5", "--holdout", "0.3", "--salt", "WORD"]
    assert run(*remedy[:-2]).code == 2  # nobody knows the salt
    assert path.read_text() == "{"
    mended = run(*remedy, "--json")
    assert (mended.code, mended.json["salt"], mended.json["moved"]) == (0, "WORD", 0)
    assert "the split cannot be used" in mended.err and mended.err.strip().endswith("it is replaced")
    assert run(*remedy).out.splitlines()[1:] == ["no case changed its part"]


def test_a_set_that_is_not_divided_is_asked_whole(root: Path, run: Run) -> None:
    told = run("evaluate", FLOW, "--set", "evaluation.measures=[recall@4]", "--json").json
    assert (told["part"], told["holdout_looks"]) == ("", 0)
    assert run("evaluate", FLOW, "--split", "holdout").code == 2


# --- import, export, forget --------------------------------------------------------------


def test_a_set_that_is_exported_comes_back_as_proposals(root: Path, run: Run) -> None:
    exported = run("golden", "export", FLOW, "--format", "ragas", "--out", "out/ragas.jsonl")
    assert "32 cases in out/ragas.jsonl" in exported.out and "lost 8 times: kind" in exported.out
    assert run("golden", "export", FLOW, "--format", "beir", "--out", "out/beir").code == 0
    file = root / SET / "golden.jsonl"
    rows = file.read_text().splitlines(keepends=True)
    file.write_text("".join(rows[-4:]))
    told = run("golden", "import", FLOW, "out/ragas.jsonl", "--format", "ragas")
    assert told.out.startswith("24 proposals, 24 with evidence\n")
    assert "lost 8 times: row without an answer" in told.out
    again = run("golden", "import", FLOW, "out/beir", "--format", "beir", "--json").json
    assert (len(again["added"]), again["known"]) == (28, 4)
    nowhere = run("golden", "export", FLOW, "--format", "beir", "--out", "")
    assert (nowhere.code, "--out is empty" in nowhere.err, Path("queries.jsonl").exists()) == (2, True, False)
    assert run("golden", "import", FLOW, "out/beir", "--format", "excel").code == 2
    assert run("golden", "import", FLOW, "out/x.csv", "--format", "csv", "--kind", "odd").code == 2


@pytest.mark.parametrize("name", ["golden.jsonl", "proposed.jsonl", "../workshop/rejected.jsonl", "golden.lock.json"])
def test_an_export_never_replaces_a_file_of_the_golden_set(root: Path, run: Run, name: str) -> None:
    before = {path: path.read_bytes() for path in (root / SET).iterdir()}
    told = run("golden", "export", FLOW, "--format", "azure", "--out", str(SET / name))
    assert (told.code, "--out" in told.err) == (2, True)
    assert {path: path.read_bytes() for path in (root / SET).iterdir()} == before


def test_forget_takes_a_document_out_of_proposals_rejections_and_the_lock_file(
    root: Path, run: Run, model: Writer
) -> None:
    erased = "office/bookings.md"
    sentence = workshop.FACTS[erased][0][1]
    about = {"id": "open", "question": "Morning hours?", "reference": sentence,
             "evidence": [{"document": erased, "quote": sentence}]}  # fmt: skip
    propose(root, ASKED, about)
    (root / SET / "rejected.jsonl").write_text(json.dumps({**about, "id": "no", "rejected_by": "ada"}) + "\n")
    run("golden", "lock", FLOW)
    model.says = '{"cases": []}'
    run("golden", "draft", FLOW, "--by", "model", "--set", "generation.model=writer")
    assert (root / ".genaiops" / "golden_drafted.log").exists()
    receipt = forget(workshop.load(root / FLOW), document=erased)
    assert receipt.proved
    assert {"proposals", "rejections", "lock file", "golden set"} <= {item.store for item in receipt.artefacts}
    left = b"".join(path.read_bytes() for path in (root / SET).iterdir())
    assert erased.encode() not in left and sentence.encode() not in left
    assert json.loads((root / SET / "proposed.jsonl").read_text())["id"] == "bar"
    assert not (root / ".genaiops" / "golden_drafted.log").exists()
    assert run("golden", "lint", FLOW, "--ignore", "near_duplicate").code == 0
