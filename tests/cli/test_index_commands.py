"""indexes, diff, freshness, rebuild, gc, forget, lineage: what they print, their --json, and how they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from genaiops.evaluation.runs import list_runs
from genaiops.records import as_json
from tests.cli.commands import Run
from tests.flow import workshop

FLOW = "flows/workshop"
ERASED = "office/bookings.md"


def test_the_life_of_an_index_from_edit_to_clean_up(run: Run, root: Path) -> None:
    (index,) = run("indexes", FLOW, "--json").json["indexes"]
    assert set(index) == {
        "id", "flows", "built_at", "documents", "chunks", "bytes", "present", "used_by", "problem",
    }  # fmt: skip
    first = index["id"]
    fresh = run("freshness", FLOW, "--json")
    assert (fresh.code, fresh.json["met"], fresh.json["behind"]) == (0, True, [])
    page = root / "manual" / "wheels.md"
    page.write_text(page.read_text().replace("4.5 bar", "5.5 bar"))
    (root / "manual" / "office" / "warranty.md").unlink()
    behind = run("freshness", FLOW)
    assert behind.code == 1
    assert "changed" in behind.out and "gone" in behind.out and "no objective is set" in behind.out
    assert run("freshness", FLOW, "--objective-hours", 1).code == 0
    run("build", FLOW)
    told = run("diff", first[:8], "workshop@current", "--json").json
    assert (told["kind"], told["documents_changed"], told["documents_gone"], told["same"]) == (
        "indexes", ["wheels.md"], ["office/warranty.md"], False,
    )  # fmt: skip
    assert {"document", "before", "after"} == set(told["chunks_changed"][0])
    asked = run("diff", first, FLOW, "--flow", FLOW)
    assert "~ wheels.md" in asked.out and "of 32 questions find something else" in asked.out
    Path("asked.jsonl").write_text('{"text": "Is scratched paint covered by the warranty?"}\n')
    (change,) = run("diff", first, FLOW, "--flow", FLOW, "--questions", "asked.jsonl", "--json").json["questions"]
    assert change["gone"][0][0] == "office/warranty.md"
    dry = run("gc", "--keep-last", 1, "--keep-days", 0, "--dry-run", "--json").json
    assert (dry["removed"], dry["dry_run"]) == ({}, True)  # the release uses the first, the flow the second
    assert set(dry) == {"kept", "removed", "leftovers", "vectors", "results", "bytes", "dry_run"}
    assert "release" in run("gc").out
    confirmed = run("rebuild", first[:10], "--json").json
    assert (confirmed["state"], confirmed["index"]) == ("confirmed", first)
    shutil.rmtree(root / ".genaiops" / "indexes" / first)
    refused = run("rebuild", first[:10])
    assert refused.code == 2
    assert "the sources no longer hold what they held" in refused.err
    assert "removed" in run("indexes", FLOW).out


def test_diff_still_compares_releases(run: Run, root: Path) -> None:
    assert run("diff", "prod", "dev").out == "the same release\n"
    assert run("diff", "prod", "dev", "--json").json == {"kind": "releases", "changes": []}
    # A release and an index: what the release serves against the other.
    assert run("diff", "prod", "workshop@current", "--json").json["same"] is True
    assert run("diff", "prod", "nothing").code == 2


def test_forget_erases_proves_and_blocks(run: Run, root: Path) -> None:
    dry = run("forget", FLOW, "--document", ERASED, "--dry-run", "--json").json
    assert dry["documents"] == [ERASED]
    told = run("forget", FLOW, "--document", ERASED, "--json").json
    assert (told["proved"], told["already"]) == (True, False)
    assert {"document", "artefacts", "probes", "tombstones", "previous", "digest", "outside"} <= set(told)
    assert all(probe["hits"] == [] for probe in told["probes"])
    assert ERASED not in json.dumps(told)
    old, new = run("releases", "--json").json["releases"]
    assert (old["replaced_by"], new["replaced_by"]) == (new["digest"], "")
    assert f"re-issued as {new['digest'][:12]}" in run("releases").out
    assert run("build", FLOW, "--json").json["documents"] == 3
    assert ERASED not in run("chunks", FLOW).out
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    again = run("forget", FLOW, "--document", ERASED)
    assert (again.code, again.err) == (0, "")
    assert f"was erased already, on {told['at']} (receipt 1, {told['digest'][:12]})" in again.out
    assert run("forget", FLOW, "--document", ERASED, "--json").json == {**told, "already": True}
    assert run("forget", FLOW, "--document", ERASED, "--dry-run").out == again.out
    assert run("forget", FLOW, "--text", root / "manual" / ERASED).out == again.out
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert run("forget", FLOW, "--document", ERASED, "--allow-again", "--json").json == {"lifted": 1}
    lifted = run("forget", FLOW, "--document", ERASED)
    assert lifted.code == 2
    assert f"it was erased on {told['at']} (receipt 1) and let in again" in lifted.err
    assert run("build", FLOW, "--json").json["documents"] == 4
    text = root / "manual" / ERASED
    receipt = run("forget", FLOW, "--text", text)
    assert receipt.code == 0
    assert "0 hits" in receipt.out and "not looked at" in receipt.out and "still there" in receipt.out
    assert run("forget", FLOW).code == 2
    assert run("forget", FLOW, "--allow-again").code == 2
    assert run("audit", "verify").code == 0


def test_what_an_erasure_issued_again_leads_to_what_stands_in_its_place(run: Run, root: Path) -> None:
    flow = workshop.load(root / FLOW)
    old, (release,) = flow.index_id, run("releases", "--json").json["releases"]
    earlier = list_runs(flow.project.runs)[-1].name
    other = run("build", FLOW, "--set", "chunking.size=900", "--json").json["index"]
    sentence = workshop.FACTS[ERASED][0][1]
    answer = flow.ask(workshop.FACTS[ERASED][0][2])
    assert sentence in answer.text
    Path("answer.json").write_text(json.dumps(as_json(answer)))
    receipt = run("forget", FLOW, "--document", ERASED, "--json").json
    new = {
        item["before"]: item["after"] for item in receipt["artefacts"] if item["store"] in ("index", "release", "run")
    }
    why = f"on {receipt['at'][:10]}, because a document was erased from it (receipt 1)"
    shown = []

    both = run("diff", old, "prod")
    assert f"index {old[:12]} was issued again as {new[old][:12]} {why}" in both.err
    assert "nothing is left to compare" in both.err
    shown.append(both)
    third = run("diff", old[:8], other[:8])  # both were issued again
    assert f"genaiops diff {new[old][:12]} {new[other][:12]}" in third.err
    assert run("diff", new[old][:12], new[other][:12]).code == 0
    for name in (old, old[:12], release["digest"], release["digest"][:12]):
        told = run("lineage", name)
        found = next(before for before in new if before.startswith(name))
        assert f"was issued again as {new[found][:12]} {why}" in told.err
        shown.append(told)
    shown += [run("diff", release["digest"], "prod"), run("lineage", earlier), run("rebuild", old)]
    assert new[release["digest"]][:12] in shown[-3].err
    assert f"run {earlier} was issued again as {new[earlier]}" in shown[-2].err
    shown.insert(0, run("compare", earlier, "latest"))
    assert f"run {earlier} was issued again as {new[earlier]} {why}" in shown[0].err
    by_its_end = run("compare", earlier[-8:], "latest")
    assert f"run {earlier} was issued again as {new[earlier]} {why}" in by_its_end.err
    for name in (old[:12], release["digest"][:12]):  # of what cannot be compared
        assert f"no run {name!r}" in run("compare", name, "latest").err
        assert f"no run {name!r}" in run("lineage", name, "--case", "wheels-0").err
    shown.insert(0, by_its_end)
    case = run("lineage", earlier, "--case", "wheels-0")
    assert f"genaiops lineage {new[earlier]} --case wheels-0" in case.err
    assert f"issued again as {new[old][:12]} {why}" in shown[-1].err
    assert all((item.code, item.out) == (2, "") for item in (*shown, third, case))
    listed = run("indexes")
    assert f"issued again as {new[old][:12]}, because a document was erased from it (receipt 1)" in listed.out

    # The answer that somebody kept still holds the text; what is told of it does not.
    told = run("lineage", "answer.json")
    assert told.code == 0
    assert f"index {old[:12]} was issued again as {new[old][:12]} {why}" in told.out
    assert "its document was erased (receipt 1)" in told.out
    plain = run("lineage", "answer.json", "--json")
    assert plain.json["answer"]["text"] == "[erased]"
    assert [item["after"] for item in plain.json["reissued"]] == [new[old]]
    for item in (*shown, third, case, listed, told, plain):
        assert not any(fact in item.out + item.err for _, fact, _ in workshop.FACTS[ERASED])


def test_lineage_from_the_answer_that_ask_printed(run: Run, root: Path) -> None:
    answer = workshop.load(root / FLOW).ask("What are loose hub bearings packed with?")
    Path("answer.json").write_text(json.dumps(as_json(answer)))  # as `ask --json` prints it
    told = run("lineage", "answer.json", "--json").json
    assert set(told) == {"answer", "chunks", "indexes", "reissued"}
    assert told["chunks"][0]["cited"] is True
    assert {"chunk", "document", "start", "end", "text", "original", "edits", "document_digest", "origin", "index",
            "cited", "confirmed", "problem", "now", "erased"} == set(told["chunks"][0])  # fmt: skip
    plain = run("lineage", "answer.json")
    assert plain.out.startswith("answer: Loose hub bearings")
    assert "of wheels.md" in plain.out
    chunk = run("lineage", told["chunks"][0]["chunk"][:10])
    assert chunk.code == 0
    assert chunk.out.startswith("chunk ")
    runs = sorted(path.name for path in (root / ".genaiops" / "runs").iterdir())
    assert "case wheels-3" in run("lineage", runs[0], "--case", "wheels-3").out
    assert run("lineage", "ffffffffff").code == 2
