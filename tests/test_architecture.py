"""Who may import whom, and what may be in no module: read from the source, lazy imports included."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "genaiops"
SHARED = {
    "records",
    "cache_file",
    "configuration",
    "display",
    "lazy",
    "on_demand",
    "sensitivity",
    "errors",
    "files",
    "sentences",
    "words",
    "endpoints",
    "__init__",
}
ROOMS: dict[str, set[str]] = {  # room: what of ours it may import besides itself and what is shared
    "documents": set(),
    "cleansing": {"documents"},  # the type of what is left out
    "chunking": set(),
    "embedding": set(),
    "indexing": {"embedding"},  # the type of a vector
    "retrieval": {"embedding", "indexing"},
    "prompting": set(),
    "generation": set(),
    "golden_sets": set(),
    "testing": set(),
    "flow": {
        "documents", "cleansing", "chunking", "embedding", "indexing", "retrieval", "prompting", "generation",
        "project",
    },
    "evaluation": {"golden_sets", "prompting", "generation", "embedding"},
    "promotion": {"evaluation", "project"},
    "serving": {"flow", "promotion", "project"},
    "delivery": {
        "flow", "evaluation", "golden_sets", "promotion", "project", "embedding", "indexing", "retrieval", "documents",
        "cleansing", "generation",
    },
}  # fmt: skip
HEAVY = (
    "torch", "mlflow", "langchain_core", "langchain", "faiss", "numpy", "transformers", "sentence_transformers",
    "sklearn", "scipy", "openai", "fastapi",
)  # fmt: skip
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import in a module, at its top and in its functions."""
    parents = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*parents[: -node.level], node.module or ""] if node.level else [node.module or ""]
            module = ".".join(part for part in base if part)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_every_room_is_known() -> None:
    rooms = {room_of(path) for path in MODULES}
    assert rooms - SHARED - {"cli", "project"} == set(ROOMS)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_its_neighbours(room: str) -> None:
    allowed = ROOMS[room] | SHARED | {room}
    strangers = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path in MODULES
        if room_of(path) == room
        for line, name in imports(path)
        if name.startswith("genaiops.") and name.split(".")[1] not in allowed and name != "genaiops.__version__"
    ]
    assert strangers == []


def test_the_shared_spine_imports_no_room() -> None:
    allowed = SHARED | {"project"}
    spine = [path for path in MODULES if room_of(path) in (SHARED | {"project"}) - {"__init__"}]
    assert len(spine) >= 6
    strangers = [
        f"{path.name}:{line} imports {name}"
        for path in spine
        for line, name in imports(path)
        if name.startswith("genaiops.") and name.split(".")[1] not in allowed
    ]
    assert strangers == []


def test_nobody_imports_the_commands_and_only_they_import_delivery() -> None:
    for path in MODULES:
        if room_of(path) == "cli":
            continue
        names = [name for _, name in imports(path)]
        assert not any(name.startswith("genaiops.cli") for name in names), path
        if room_of(path) != "delivery":
            assert not any(name.startswith("genaiops.delivery") for name in names), path


def test_nothing_runs_or_unpacks_what_it_reads() -> None:
    banned_modules = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle"}
    banned_calls = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load",
                    "yaml.full_load", "np.load", "numpy.load", "torch.load", "langchain_core.load.loads"}  # fmt: skip
    found = []
    for path in MODULES:
        place = path.relative_to(PACKAGE)
        found += [f"{place}:{line} {name}" for line, name in imports(path) if name.split(".")[0] in banned_modules]
        for call, name in calls(path):
            options = {option.arg: ast.unparse(option.value) for option in call.keywords}
            if name in banned_calls or options.get("trust_remote_code", "False") != "False":
                found.append(f"{place}:{call.lineno} {name}")
            if options.get("shell", "False") != "False" or options.get("allow_pickle", "False") != "False":
                found.append(f"{place}:{call.lineno} {name}")
    assert found == []


def test_yaml_is_only_read_with_a_safe_loader() -> None:
    import yaml

    from genaiops.configuration import _LinedLoader

    assert issubclass(_LinedLoader, yaml.SafeLoader)
    readers = {"yaml.safe_load", "yaml.parse", "_LinedLoader"}
    used = {name for path in MODULES for _, name in calls(path) if name.startswith("yaml.") and "Error" not in name}
    assert used <= readers


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_the_command_line_starts_without_anything_heavy(arguments: list[str]) -> None:
    script = (
        "import runpy, sys\n"
        "sys.argv = ['genaiops', *sys.argv[1:]]\n"
        "try:\n"
        "    from genaiops.cli import main\n"
        "    if len(sys.argv) > 1: main()\n"
        "finally:\n"
        f"    print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert ("evaluate" in done.stdout) == bool(arguments)


@pytest.mark.parametrize("module", sorted({room_of(path) for path in MODULES} - {"__init__"}))
def test_importing_a_room_is_light(module: str) -> None:
    assert heavy_after_import()[module] == []


@cache
def heavy_after_import() -> dict[str, list[str]]:
    """Room → the heavy packages in one process after it and all rooms before it were imported."""
    names = sorted({room_of(path) for path in MODULES} - {"__init__"})
    script = (
        "import importlib, json, sys\n"
        "seen = {}\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(f'genaiops.{name}')\n"
        f"    seen[name] = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "print(json.dumps(seen))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    seen: dict[str, list[str]] = json.loads(done.stdout)
    return seen


def test_modules_stay_short() -> None:
    long = [f"{path.relative_to(PACKAGE)}: {n}" for path in MODULES if (n := len(path.read_text().splitlines())) > 330]
    assert long == []
