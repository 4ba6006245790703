"""golden draft on the workshop: proposals from templates and from a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from genaiops.testing import Reply
from tests.cli.commands import Run, Writer

FLOW = "flows/workshop"
SET = Path("eval_datasets/workshop")


def test_drafts_go_to_the_proposals_and_a_second_call_finds_no_more(stored: Path, run: Run) -> None:
    golden = (stored / SET / "golden.jsonl").read_bytes()
    first = run("golden", "draft", FLOW, "--limit", "2", "--json").json
    assert [case["evidence"][0]["document"] for case in first["added"]] == ["storage.md"] * 2
    second = run("golden", "draft", FLOW, "--json").json
    assert [case["question"] for case in first["added"] + second["added"]] == [
        "Why is chain oil renewed twice?",
        "What is a storage hook?",
        "What happens if frost reaches the battery cells?",
    ]
    assert run("golden", "draft", FLOW, "--json").json["added"] == []
    assert (stored / SET / "golden.jsonl").read_bytes() == golden
    rows = [json.loads(line) for line in (stored / SET / "proposed.jsonl").read_text().splitlines()]
    assert [row["proposed_by"] for row in rows] == ["template:reason", "template:definition", "template:condition"]
    assert all(row["note"].startswith("the flow ") for row in rows)
    assert run("golden", "draft", FLOW, "--document", "no.md").code == 2


def writing(body: dict[str, Any]) -> str:
    """Cases about the page that the request shows; one of them quotes what the page does not say."""
    page = body["messages"][-1]["content"]
    if "steel bracket" not in page:
        return '{"cases": []}'
    quote = "Chain oil is renewed twice because dry links rust within a few weeks."
    good = {"question": "How often does the lubricant get replaced?", "answer": "Twice.", "quote": quote}
    return json.dumps({"cases": [good, {**good, "question": "What is invented here?", "quote": "Oil is red."}]})


def test_a_model_drafts_only_what_the_documents_say_and_is_not_asked_twice(
    stored: Path, run: Run, model: Writer
) -> None:
    model.says = writing
    asked = ("golden", "draft", FLOW, "--by", "model", "--set", "generation.model=writer", "--json")
    first = run(*asked, "--calls", "2").json
    assert (first["calls"], first["more"], len(first["added"])) == (2, True, 1)
    assert first["left_out"]["quote not in the document"] == 1
    assert first["added"][0]["evidence"][0]["document"] == "storage.md"
    second = run(*asked).json
    assert (second["calls"], second["more"], second["added"]) == (3, False, [])
    assert run(*asked).json["calls"] == 0
    assert len(model.server.requests) == 5
    row = json.loads((stored / SET / "proposed.jsonl").read_text())
    assert row["proposed_by"] == "model:writer"


def test_a_model_that_fails_is_given_up_and_asked_again_next_time(stored: Path, run: Run, model: Writer) -> None:
    asked = ("golden", "draft", FLOW, "--by", "model", "--set", "generation.model=writer", "--json")
    model.says = Reply(status=401)
    down = run(*asked)
    assert (down.code, down.json["calls"], down.json["added"]) == (3, 3, [])
    assert "401" in down.json["failed"]
    model.says = "I would rather not."
    assert run(*asked).json["failed"] == "model writer gave no JSON that can be read"
    model.says = writing
    assert len(run(*asked).json["added"]) == 1
    assert run("golden", "draft", FLOW, "--by", "model").code == 2


def test_a_draft_that_found_no_room_is_asked_for_again_and_none_is_paid_for_that_cannot_wait(
    stored: Path, run: Run, model: Writer
) -> None:
    facts = {"When does the promise lapse?": "If frost reaches the battery cells, the promise of ten years ends on "
             "the same day.", "Which steel part carries a wheel?": "A storage hook is the steel bracket that carries a "
             "bicycle by its front wheel.", "How often is oil on links renewed?": "Chain oil is renewed twice because "
             "dry links rust within a few weeks."}  # fmt: skip
    rows = [{"question": question, "answer": "After some weeks outside.", "quote": fact}
            for question, fact in facts.items()]  # fmt: skip
    model.says = json.dumps({"cases": rows})
    asked = ("golden", "draft", FLOW, "--by", "model", "--set", "generation.model=writer", "--per-document", "2",
             "--document", "storage.md", "--set", "chunking.size=333", "--json")  # fmt: skip
    first = run(*asked).json
    assert (len(first["added"]), first["more"], first["left_out"]) == (2, True, {"over --limit or --per-document": 1})
    full = run(*asked).json
    assert (full["calls"], full["more"]) == (0, True)
    assert run("golden", "promote", FLOW, *(case["id"] for case in first["added"])).code == 0
    last = run(*asked).json
    assert (len(last["added"]), last["calls"], last["more"]) == (1, 1, False)
    assert run(*asked).json["calls"] == 0


PLAIN = "# Ferries\n\nThe northern harbour opened long ago and looks out over the bay, where old boats lie.\n"


def test_a_draft_that_brings_nothing_says_why_and_what_to_do_next(root: Path, run: Run) -> None:
    manual, asked = root / "manual", ("golden", "draft", FLOW, "--document", "ferries.md")
    (manual / "ferries.md").write_text("# Only a heading\n")
    assert run(*asked).out.splitlines() == [
        "0 proposals: 1 document holds no sentence",
        "next: see documents.sources and documents.include in flow.yaml",
    ]
    (manual / "ferries.md").write_text(PLAIN)
    formless = run(*asked, "--json").json
    assert formless["why_nothing"].startswith("none of 1 sentence in 1 document has a form that the templates know")
    assert "--by model" in formless["next"] and "golden.jsonl" in formless["next"]
    (manual / "ferries.md").write_text(PLAIN + "\nA boarding lane is the lane for boarding a boarding lane.\n")
    left = run(*asked).out.splitlines()
    assert left[0] == (
        "0 proposals: none of 1 draft from 2 sentences in 1 document is worth a review; left out: "
        "1 trivial (too short, or the answer says hardly more than the question)"
    )


def test_a_draft_that_is_full_or_was_made_before_says_so(stored: Path, run: Run) -> None:
    asked = ("golden", "draft", FLOW, "--document", "storage.md", "--json")
    assert run(*asked, "--per-document", "1").json["why_nothing"] == ""
    full = run(*asked, "--per-document", "1").json
    assert full["why_nothing"].startswith("--per-document leaves no room for 2 drafts: 1 wait for a decision")
    assert "golden review FLOW" in full["next"]
    assert len(run(*asked).json["added"]) == 2
    before = run(*asked).json
    assert before["why_nothing"] == "all that the templates make of 3 sentences in 1 document was asked before"
    assert before["next"].startswith("genaiops golden review FLOW (3 wait)")


def test_a_model_that_proposes_nothing_is_told_with_what_it_was_asked(stored: Path, run: Run, model: Writer) -> None:
    asked = ("golden", "draft", FLOW, "--by", "model", "--set", "generation.model=writer", "--json",
             "--document", "storage.md")  # fmt: skip
    model.says = Reply(status=401)
    assert run(*asked).json["why_nothing"] == "the model was given up after 1 call"
    model.says = '{"cases": []}'
    assert run(*asked).json["why_nothing"] == "1 call brought nothing to propose"
    assert run(*asked).json["why_nothing"] == "the model was asked about all of 3 sentences in 1 document before"
    (stored / "manual" / "storage.md").write_text("# Short\n\nToo short.\n")
    assert "no stretch that is long enough" in run(*asked).json["why_nothing"]
