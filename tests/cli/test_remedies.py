"""What a message tells people to run: the flow it was given, so that it can be pasted."""

from __future__ import annotations

import ast
import html
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import genaiops
from genaiops.cli.commands import LazyGroup
from genaiops.cli.remedies import of_flow
from tests.cli.commands import Run
from tests.flow import workshop
from tests.small_project import SmallProject

FLOW = "flows/workshop"
_WRITTEN = re.compile(r"genaiops ((?:golden )?[a-z]+) FLOW\b")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text constant of the package below `folder`, with its place; docstrings are texts too."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(folder)}:{node.lineno}", node.value


def test_every_command_that_a_message_names_with_a_flow_takes_a_flow_and_settings() -> None:
    """So that what is put in the place of FLOW is understood there."""
    named = {name for _, text in texts(Path(genaiops.__file__).parent) for name in _WRITTEN.findall(text)}
    assert {"build", "evaluate", "gate", "golden lock"} <= named
    for name in named:
        group, _, inner = name.rpartition(" ")
        command = LazyGroup.registry[group].commands[inner] if group else LazyGroup.registry[inner]
        assert {"flow", "settings"} <= {parameter.name for parameter in command.params}, name


@pytest.mark.parametrize(
    "text",
    [
        "FLOW",
        "genaiops indexes lists them; FLOW@current works too",
        "genaiops judge calibrate FILE --measure MEASURE",
        "genaiops promote RELEASE --to prod",
        "genaiops build FLOWS",
    ],
)
def test_what_is_no_command_about_the_flow_stays(text: str, tmp_path: Path) -> None:
    assert of_flow(text, tmp_path) == text


def test_a_name_that_is_no_folder_is_not_put_into_a_command() -> None:
    assert of_flow("genaiops build FLOW", "no-such-folder") == "genaiops build FLOW"
    assert of_flow("genaiops build FLOW", None) == "genaiops build FLOW"


def test_the_remedy_of_a_missing_index_can_be_pasted(run: Run, small_project: SmallProject, tmp_path: Path) -> None:
    spaced = small_project.root / "my flows"
    shutil.move(small_project.flow, spaced)
    text = (spaced / "flow.yaml").read_text(encoding="utf-8")
    (spaced / "flow.yaml").write_text(text.replace("../../", "../"), encoding="utf-8")
    option = "retrieval.where={product: a b}"
    refused = run("ask", spaced, "q", "--set", option, "--set", "chunking.size=200")
    assert refused.code == 2
    pasted = shlex.split(re.search(r"genaiops build .*", refused.err)[0])  # type: ignore[index]  # it is there
    assert pasted[2:] == [str(spaced), "--set", option, "--set", "chunking.size=200"]
    assert run(*pasted[1:]).code == 0
    assert run("ask", spaced, "How long is a kettle's warranty?", "--set", "chunking.size=200").code == 0


def test_a_gate_names_the_flow_in_its_reasons_for_people_and_for_scripts(run: Run, root: Path) -> None:
    workshop.drop_a_third(root)
    (root / FLOW / "gate.yaml").write_text("rules:\n  - {measure: answered, not_worse_than: champion, margin: 0.2}\n")
    wanted = f"genaiops evaluate {FLOW} --release prod"
    told = run("gate", FLOW, "--markdown", "gate.md")
    assert told.code == 3
    assert wanted in told.out and "FLOW" not in told.out
    assert wanted in html.unescape(Path("gate.md").read_text(encoding="utf-8"))
    assert wanted in json.dumps(run("gate", FLOW, "--json").json)
    refused = run("release", FLOW)
    assert wanted in refused.err and "FLOW" not in refused.err


def test_findings_of_lint_name_the_flow(run: Run, root: Path) -> None:
    (root / "manual" / "saws.md").write_text(
        "# Saws\n\n" + "A saw is oiled with linseed oil every Friday, before its blade is hung up behind the door. " * 5
    )
    told = run("golden", "lint", FLOW, "--notes")
    assert f"genaiops golden draft {FLOW}" in told.out
    assert "FLOW" not in told.out
