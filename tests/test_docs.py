"""What the README and the handbook tell a reader to type exists and parses; test_docs_run.py runs it."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from genaiops.cli.app import app
from genaiops.configuration import Settings, parse_yaml
from genaiops.flow import FlowSettings
from genaiops.generation.catalog import ModelCatalog
from genaiops.project import ProjectSettings
from genaiops.promotion import GateSettings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int  # of its first line of text
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*kinds: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["kind"] in kinds:
                found.append(Block(page, text.count("\n", 0, match.start("text")) + 1, match["kind"], match["text"]))
    return found


# --- commands -------------------------------------------------------------------


def command_lines(block: Block) -> Iterator[tuple[int, list[str]]]:
    """Line and words of every `genaiops …` in a block of shell, prompts, pipes and variables put aside."""
    text = block.text.replace("\\\n", " ")
    for offset, line in enumerate(text.splitlines()):
        if block.kind == "console" and not line.startswith("$ "):
            continue
        for part in re.split(r"\s(?:&&|\|\|?|;)\s", line.removeprefix("$ ")):
            words = shlex.split(part, comments=True)
            while words and (re.fullmatch(r"[A-Z_]+=.*", words[0]) or words[0] in ("if", "then", "!", "time", "exec")):
                words = words[1:]
            if any(word in (">", ">>", "2>") for word in words):
                words = words[: next(n for n, word in enumerate(words) if word in (">", ">>", "2>"))]
            if words and words[0].removeprefix(".venv/bin/") == "genaiops":
                yield block.line + offset, words[1:]


def check_command(words: list[str]) -> str:
    """What is wrong with the words after `genaiops`, "" if nothing is. They are parsed, nothing is run."""
    command: Any = get_command(app)
    context = command.make_context("genaiops", list(words), resilient_parsing=True)
    rest = list(words)
    while hasattr(command, "commands"):
        if rest and rest[0] in ("--help", "-h"):
            return ""
        if not rest or rest[0] not in command.commands:
            return f"there is no command {' '.join(rest[:1])!r} in {command.name}"
        command = command.commands[rest.pop(0)]
    if "--help" in rest or "-h" in rest:
        return ""
    try:
        command.make_context(command.name, rest, parent=context)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def test_there_are_commands_to_check_and_the_check_can_fail() -> None:
    assert sum(1 for block in blocks("bash", "sh", "console") for _ in command_lines(block)) > 50
    assert "no command 'biuld'" in check_command(["biuld", "flows/x"])
    assert "No such option" in check_command(["ask", "flows/x", "q", "--colour"])
    assert "MissingParameter" in check_command(["ask", "flows/x"])
    assert "no command 'lintt'" in check_command(["golden", "lintt", "flows/x"])


@pytest.mark.parametrize("block", blocks("bash", "sh", "console"), ids=str)
def test_every_command_line_names_commands_and_options_that_exist(block: Block) -> None:
    wrong = [f"{block.page.name}:{line}: {words}: {told}" for line, words in command_lines(block)
             if (told := check_command(words))]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_within_a_sentence_names_commands_and_options_that_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    wrong = []
    for span in re.findall(r"`(?:\.venv/bin/)?genaiops ([^`]+)`", text):
        first = re.split(r"\s(?:&&|\|\|?|;)\s", span)[0]
        told = check_command(shlex.split(first))
        if told and "MissingParameter" not in told and "requires an argument" not in told:  # it is named, not typed
            wrong.append(f"{span}: {told}")
    known = {"--help", *options_of(get_command(app))}
    wrong += [option for option in re.findall(r"`(--[a-z-]+)", text) if option not in known]
    assert wrong == []


def options_of(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
    for inner in getattr(command, "commands", {}).values():
        yield from options_of(inner)


def test_every_command_is_told_of_on_the_page_of_commands() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = [name for name in names_of(get_command(app)) if f"genaiops {name}" not in page]
    assert missing == []


def names_of(command: Any, prefix: str = "") -> Iterator[str]:
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from names_of(inner, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_make_target_exists() -> None:
    makefile = ROOT / "Makefile"
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"`make ([a-z-]+)`", text)) | set(re.findall(r"^\$? ?make ([a-z-]+)", text, re.MULTILINE))
    assert named
    assert named <= targets


# --- files ------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("yaml", "yml"), ids=str)
def test_every_yaml_block_parses_and_its_settings_exist(block: Block) -> None:
    if ".github" in block.text or "runs-on:" in block.text:
        import yaml

        assert yaml.safe_load(block.text)
        return
    data = parse_yaml(block.text, block.page, first_line=block.line).data
    assert data
    known: list[type[Settings]] = [FlowSettings, GateSettings, ProjectSettings, ModelCatalog]
    if not any(_fits(model, data) for model in known):
        pytest.fail(f"{block}: the keys {sorted(data)} are those of no file we read")


def _fits(model: type[Settings], data: dict[str, Any]) -> bool:
    """Whether every key is one of the model's, and every whole section is valid."""
    from pydantic import TypeAdapter, ValidationError

    for key, value in data.items():
        field = model.model_fields.get(key)
        if field is None:
            return False
        kind: Any = field.annotation
        try:
            TypeAdapter[Any](kind).validate_python(value, strict=False)
        except ValidationError as error:
            missing_only = all(item["type"] == "missing" for item in error.errors())
            if not missing_only:
                return False
    return True


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_python_block_compiles_and_its_imports_exist(block: Block) -> None:
    tree = ast.parse(block.text, str(block))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("genaiops"):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), f"{block}: {node.module} has no {alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("genaiops"):
                    importlib.import_module(alias.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for match in LINK.finditer(text):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page if not path else (page.parent / path)
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_app_is_the_one_that_is_installed() -> None:
    assert isinstance(app, typer.Typer)
    assert 'genaiops = "genaiops.cli:main"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
