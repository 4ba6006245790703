"""A stranger's first folder: a PDF, a DOCX, a saved web page and a table answer; then one changes, one goes, one is
forgotten, and the index, the diff and the receipt say exactly that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Run, runner
from tests.documents.office_files import docx, paragraph
from tests.documents.test_loaders import pdf

FLOW = "flows/mine"
QUESTIONS = {
    "How many litres does the tank of the Heron boat hold?": ("tank.pdf", "40 litres"),
    "Who repairs the sails in winter?": ("crew.docx", "Ida"),
    "When does the harbour office open?": ("harbour.html", "seven"),
    "What does a berth for a dinghy cost?": ("berths.csv", "12 euros"),
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """A project made by `genaiops new`, with four files of its own in the place of the example."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    # Which precision is faster on this machine, and a session for the next process: both cost more than the rest.
    monkeypatch.setenv("GENAIOPS_EMBEDDING__PRECISION", "fp32")
    monkeypatch.setenv("GENAIOPS_EMBEDDING__FAST_START", "false")
    assert run("new", "mine").code == 0
    folder = tmp_path / "documents" / "mine"
    (folder / "returns.md").unlink()
    (folder / "tank.pdf").write_bytes(pdf("The fuel tank of the Heron boat holds 40 litres of diesel."))
    repairs = paragraph("Ida repairs the sails in winter, above the boathouse.")
    (folder / "crew.docx").write_bytes(docx(paragraph("Crew", "Heading1"), repairs))
    (folder / "harbour.html").write_text(
        "<html><head><title>Harbour</title></head><body><nav><a href='/'>Home</a> <a href='/a'>Imprint</a></nav>"
        "<main><h1>Harbour office</h1><p>The harbour office opens at seven and closes at noon.</p></main></body></html>"
    )
    (folder / "berths.csv").write_text("berth,price\ndinghy,12 euros\nyacht,48 euros\n")
    return folder


def test_a_mixed_folder_answers_and_every_change_is_told(run: Run, folder: Path) -> None:
    built = run("build", FLOW, "--json").json
    assert (built["documents"], built["quarantined"]) == (4, [])
    for question, (document, words) in QUESTIONS.items():
        answer = run("ask", FLOW, question, "--json").json
        assert words in answer["text"], answer["text"]
        assert {citation["document_id"] for citation in answer["citations"]} == {document}

    (folder / "berths.csv").write_text("berth,price\ndinghy,15 euros\nyacht,48 euros\n")
    (folder / "harbour.html").unlink()
    planned = run("build", FLOW, "--dry-run", "--json").json
    assert (planned["added"], planned["changed"], planned["removed"]) == ([], ["berths.csv"], ["harbour.html"])
    changed = run("build", FLOW, "--json").json
    assert (changed["documents"], changed["chunks"], changed["embedded"]) == (3, 3, 1)
    told = run("diff", built["index"], changed["index"], "--json").json
    assert (told["documents_added"], told["documents_changed"], told["documents_gone"]) == (
        [], ["berths.csv"], ["harbour.html"],
    )  # fmt: skip
    [chunk] = told["chunks_changed"]
    assert ("12 euros" in chunk["before"][2], "15 euros" in chunk["after"][2]) == (True, True)
    assert [gone["document"] for gone in told["chunks_gone"]] == ["harbour.html"]
    assert "15 euros" in run("ask", FLOW, "What does a berth for a dinghy cost?").out

    receipt = run("forget", FLOW, "--document", "crew.docx", "--json").json
    assert receipt["proved"] is True
    assert {artefact["before"] for artefact in receipt["artefacts"]} >= {built["index"], changed["index"]}
    assert {probe["by"] for probe in receipt["probes"]} == {"id", "text", "vector"}
    assert all(probe["hits"] == [] for probe in receipt["probes"])
    left = b"".join(path.read_bytes() for path in (folder.parents[1] / ".genaiops").rglob("*") if path.is_file())
    assert b"boathouse" not in left
    assert b"Ida" not in left

    # The file lies where it lay: a build leaves it out, and there is nothing else to do.
    last = run("build", FLOW, "--json").json
    assert (last["documents"], last["erased"], last["embedded"], last["unchanged"]) == (2, 1, 0, True)
    assert last["quality"]["chunks"]["count"] == 2
    assert run("ask", FLOW, "Who repairs the sails in winter?", "--json").json["refused"] is True
    assert "40 litres" in run("ask", FLOW, "How many litres does the tank of the Heron boat hold?").out
