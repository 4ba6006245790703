"""Work on a disk whose n-th operation fails, for every n: a driver that preloads `failing_disk.c` and forks each trial.

The operations are those of the C library, so what NumPy, FAISS and SQLite do is counted too.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from genaiops.delivery import forget
from genaiops.errors import GenaiopsError
from genaiops.flow.history import read_history
from genaiops.indexing.snapshot import load_index
from genaiops.project import Project
from tests.builds import build, leftovers, opened
from tests.faults import life_children
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

SOURCE = Path(__file__).with_name("failing_disk.c")
OPEN, CREATE, WRITE, SYNC, NAME = 1, 2, 4, 8, 16
# What a system can answer to which operations.
FAULTS = {
    "ENOSPC": CREATE | WRITE | SYNC | NAME,
    "EIO": OPEN | CREATE | WRITE | SYNC | NAME,
    "EMFILE": OPEN | CREATE,
    "EROFS": CREATE | WRITE | NAME,
}
ERASED = "cleaning.md"
BUG = 70


@dataclass(frozen=True, slots=True)
class Trial:
    """One piece of work of which the `first`-th operation fails with `fault`, and when `persistent` all after it."""

    work: str
    fault: str
    persistent: bool
    first: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: exit code of a command, what was said, the index that was current after; what is `wrong`."""

    trial: Trial
    code: int
    said: str
    current: str
    wrong: str


def _command(work: Callable[[], object]) -> tuple[int, str]:
    """Exit code and message as `genaiops` would end."""
    try:
        work()
    except GenaiopsError as error:
        return error.exit_code, f"{type(error).__name__} {error}"
    except OSError as error:
        return 3, f"{type(error).__name__} {error}"
    except BaseException:
        return BUG, traceback.format_exc()
    return 0, ""


def _forked(work: Callable[[], object]) -> dict[str, str | int]:
    """The JSON object that `work` returns, in a child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = work()
        except BaseException:
            answer = {"wrong": traceback.format_exc()}
        os.write(writer, json.dumps(answer).encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    os.waitpid(child, 0)
    found: dict[str, str | int] = json.loads(content)
    return found


def _failing(trial: Trial, project: SmallProject) -> dict[str, str | int]:
    disk = ctypes.CDLL(None)
    flow = life_children.opened(str(project.root))
    work = {
        "build": lambda: build(project, WordsEmbedder()),
        "forget": lambda: forget(flow, document=ERASED),
    }[trial.work]
    kinds, number = FAULTS[trial.fault], getattr(errno, trial.fault)
    disk.disk_fails(os.fsencode(project.home), kinds, number, ctypes.c_long(trial.first), int(trial.persistent))
    code, said = _command(work)
    return {"code": code, "said": said, "operations": disk.disk_is_sound()}


def _checked(trial: Trial, project: SmallProject, code: int) -> dict[str, str]:
    """As a fresh process on a sound disk: the current index opens, all visible are whole, and the work can be done."""
    embedder = WordsEmbedder()
    current = opened(project, embedder)
    assert current.chunks
    for folder in (project.home / "indexes").iterdir():
        if not folder.name.startswith(".tmp-"):
            load_index(folder, embedder=embedder.fingerprint)
    assert read_history(Project.find(project.root), "kettles")
    if trial.work == "forget":
        erased = not any(chunk.document_id == ERASED for chunk in current.chunks)
        assert erased or code != 0
        if code != 0:
            _, said = _command(lambda: forget(life_children.opened(str(project.root)), document=ERASED))
            assert not said or (erased and said.startswith("NotFound")), said
    report = build(project, embedder)
    assert leftovers(project) == [], leftovers(project)
    after = opened(project, embedder)
    assert after.id == report.index
    if trial.work == "forget":
        assert not any(chunk.document_id == ERASED for chunk in after.chunks)
    return {"current": current.id, "after": after.id, "wrong": ""}


def tried(trial: Trial, template: Path, place: Path) -> Outcome | None:
    """The trial on a copy of a project; None when the work has fewer operations."""
    shutil.copytree(template, place)
    project = SmallProject(place)
    try:
        told = _forked(lambda: _failing(trial, project))
        if "wrong" in told:
            return Outcome(trial, BUG, "", "", str(told["wrong"]))
        if int(told["operations"]) < trial.first:
            return None
        code = int(told["code"])
        seen = _forked(lambda: _checked(trial, project, code))
        wrong = str(seen["wrong"]) or (str(told["said"]) if code == BUG else "")
        return Outcome(trial, code, str(told["said"]), str(seen.get("current", "")), wrong)
    finally:
        shutil.rmtree(place)


def _imported(work: str, template: Path, place: Path) -> None:
    """Do the work once on a sound disk, so that no trial pays for imports and the model of languages."""
    shutil.copytree(template, place)
    project = SmallProject(place)
    build(project, WordsEmbedder())
    opened(project, WordsEmbedder())
    if work == "forget":
        forget(life_children.opened(str(place)), document=ERASED)
    shutil.rmtree(place)


def enumerated(template: Path, places: Path, work: str, step: int) -> Iterator[Outcome]:
    """Every `step`-th operation of a work under every fault, once and persistently; each begins elsewhere."""
    _imported(work, template, places / "sound")
    for turn, (fault, persistent) in enumerate(product(FAULTS, (False, True))):
        first = 1 + (turn * 7) % step
        while (outcome := tried(Trial(work, fault, persistent, first), template, places / "trial")) is not None:
            yield outcome
            first += step


def outcomes_of(template: Path, scratch: Path, steps: Mapping[str, int]) -> list[Outcome]:
    """Compile the failing disk and run the driver with it, work by work. Needs a C compiler."""
    library = scratch / "failing_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    answers = scratch / "outcomes.jsonl"
    root = Path(__file__).parents[2]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GENAIOPS_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.failing_disk", template, scratch, answers, json.dumps(steps)],
        cwd=root,
        env={**environment, "LD_PRELOAD": str(library), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = map(json.loads, answers.read_text(encoding="utf-8").splitlines())
    return [Outcome(**{**row, "trial": Trial(**row["trial"])}) for row in rows]


def main() -> None:
    template, scratch, answers, steps = sys.argv[1:]
    with open(answers, "w", encoding="utf-8") as stream:
        for work, step in json.loads(steps).items():
            for outcome in enumerated(Path(template), Path(scratch), work, step):
                stream.write(json.dumps(asdict(outcome)) + "\n")


if __name__ == "__main__":
    main()
