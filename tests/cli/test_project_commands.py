"""new, doctor, config show, and what every command says where there is no project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Run

FLOW = "flows/workshop"


def test_new_writes_into_the_project_from_any_folder_of_it(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "manual")
    told = run("new", "support", "--json").json
    assert told["name"] == "support"
    assert all(Path(file).is_file() for file in told["files"])
    assert (root / "flows" / "support" / "flow.yaml").is_file()
    assert not (root / "manual" / "genaiops.yaml").exists()
    again = run("new", "support")
    assert again.code == 2
    assert "choose another name" in again.err
    assert "genaiops build ../flows/other" in run("new", "other").out


def test_doctor_ends_with_two_when_something_must_be_mended(run: Run, root: Path) -> None:
    sound = run("doctor", "--json")
    assert (sound.code, sound.json["ok"]) == (0, True)
    (root / FLOW / "prompts" / "cited.prompty").unlink()
    ill = run("doctor")
    assert ill.code == 2
    assert "FAIL flow workshop" in ill.out
    assert "prompts of this flow: mute" in ill.out


@pytest.mark.parametrize(
    "command", [["status"], ["status", "--json"], ["releases"], ["audit", "verify"], ["indexes"], ["gc"]]
)
def test_a_folder_that_is_no_project_is_not_told_as_an_empty_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".genaiops").mkdir()
    (tmp_path / ".genaiops" / "cache.db").touch()  # as `score` leaves it anywhere
    told = run(*command)
    assert (told.code, told.out) == (2, "")
    assert "there is no project here" in told.err
    assert "genaiops new" in told.err
    (tmp_path / "genaiops.yaml").write_text("tracking: none\n")
    assert run(*command).code == 0


@pytest.mark.parametrize(
    "command",
    ["promote x --to dev", "rollback dev", "serve --env prod", "keys create x", "keys list", "compare latest~1 latest",
     "lineage x", "rebuild x", "diff dev prod"],
)  # fmt: skip
def test_what_needs_a_project_says_that_there_is_none_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    told = run(*command.split())
    assert (told.code, told.out) == (2, "")
    assert "there is no project here" in told.err
    assert not (tmp_path / ".genaiops").exists()


def test_doctor_notes_an_index_that_is_not_built_yet_with_its_command(run: Run, root: Path) -> None:
    assert run("new", "fresh").code == 0
    told = run("doctor")
    lines = told.out.splitlines()
    at = lines.index("note flow fresh: no index for its settings yet")
    assert (told.code, lines[at + 1].strip()) == (0, "genaiops build flows/fresh")
    assert run("doctor", "--json").json["ok"] is True


def test_doctor_in_a_folder_that_is_no_project_says_so_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    told = run("doctor", "--json")
    assert told.code == 2
    bad = {check["what"]: check["remedy"] for check in told.json["checks"] if not check["ok"]}
    assert list(bad) == ["project"]
    assert "genaiops new" in bad["project"]
    assert list(tmp_path.iterdir()) == []


def test_config_show_tells_every_value_its_place_and_masks_passwords(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "genaiops.yaml").write_text("registry: postgresql://me:secret@db/r\ntracking: https://u:hush@ml.example\n")
    monkeypatch.setenv("GENAIOPS_RETRIEVAL__SEARCH", "vector")
    shown = run("config", "show", FLOW, "--set", "retrieval.top_k=9", "--json")
    rows = {row["key"]: row for row in shown.json["settings"]}
    assert (rows["retrieval.top_k"]["value"], rows["retrieval.top_k"]["from"]) == (9, "--set retrieval.top_k")
    assert rows["retrieval.search"]["from"] == "environment variable GENAIOPS_RETRIEVAL__SEARCH"
    assert rows["name"]["from"] == f"{FLOW}/flow.yaml:1"
    assert rows["retrieval.vector_weight"]["from"] == "default"
    assert shown.json["project"]["registry"] == "postgresql://me:***@db/r"
    plain = run("config", "show", FLOW)
    for printed in (shown.out, plain.out):
        assert "secret" not in printed
        assert "hush" not in printed
