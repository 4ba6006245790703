"""The project in which the pages' examples run, and a reader who types them there.

It holds the beginning of some pages, their golden cases, and a short history: two indexes (the first without
lineage.md), runs of two prompts, two releases that went from dev to prod, and the flow that `genaiops new support`
writes, built. It is made once; each page gets a copy.
"""

from __future__ import annotations

import io
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genaiops.delivery import evaluate_flow, release_flow
from genaiops.delivery.scaffold import scaffold
from genaiops.embedding.protocol import Progress, Vectors, silent
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet
from genaiops.project import Project
from genaiops.promotion import Registry
from genaiops.records import as_json
from genaiops.testing import Reply, scripted_verdict
from tests.cli.commands import Result, Run

REPOSITORY = Path(__file__).parents[1]
CORPUS = {  # characters
    "concepts.md": 7000, "cost.md": 3500, "gates.md": 7000, "index.md": 4500, "lineage.md": 4000, "retrieval.md": 2500,
}  # fmt: skip
EVERY = 7  # of the cases without evidence one in so many is kept
# Environment for all that is done here: measuring which precision is faster, and making a fast session, would take
# longer than all the rest.
ENVIRONMENT = {"GENAIOPS_EMBEDDING__PRECISION": "fp32", "GENAIOPS_EMBEDDING__FAST_START": "false"}
VISITORS = "# Visitors\n\nMargarethe Oduya visits the records room every second Tuesday and signs the grey book.\n"
GATE = """\
rules:
  - {measure: recall@6, at_least: 0.3}
  - {measure: groundedness, at_least: 0.5}
  - {measure: completeness, not_worse_than: champion, margin: 0.25}
"""
ROW = {"question": "Who pays for the parcel?", "answer": "The customer pays for the parcel [1].",
       "contexts": ["From abroad the customer pays for the parcel."], "reference": "The customer."}  # fmt: skip
QUERIES = [{"query_id": "q1", "text": "When is a gate inconclusive?"}, {"query_id": "q2", "text": "What is top_k?"}]
AZURE = [
    {"query": "What is an inconclusive verdict?", "ground_truth": "One that shows neither.",
     "context": "Inconclusive is an honest answer and not an error."},
    {"query": "Who is the champion?", "ground_truth": "The release that holds the environment."},
]  # fmt: skip
DRAFT = {
    "question": "How dear is one run over the whole set?", "answer": "One answer for every case.",
    "quote": "An evaluation asks every question of the golden set once, so 200 cases cost 200 answers.",
}  # fmt: skip


class Remembering:
    """The embedder behind, which computes no vector twice: the pages ask for the same ones again and again."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        import numpy as np

        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known |= dict(zip(missing, self._behind.embed(missing), strict=True))
        progress(len(texts), len(texts))
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(len(texts), -1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the project lies, and the ids that stand in place of those in the pages."""

    root: Path
    older: str  # index
    run: str
    release: str  # went through all environments and was replaced in each
    chunk: str


def prepare(root: Path, model_url: str) -> Prepared:
    """Make the project below `root`; the models of its models.yaml answer at `model_url`."""
    flow = _written(root, model_url)
    later = root / "docs" / "lineage.md"
    later.rename(root / "later.md")
    flow.build()
    older = flow.index_id
    (root / "later.md").rename(later)
    flow = load(root, "handbook")
    flow.build()
    (root / "answer.json").write_text(json.dumps(as_json(flow.ask("When is a gate inconclusive?"))))
    registry = Registry.of(flow.project)
    releases = []
    for _ in range(2):
        evaluate_flow(flow)  # what the champion serves on its own run would be no new release
        release, gated = release_flow(flow)
        releases.append(release)
        for environment in flow.project.settings.environments:
            registry.promote(release, to=environment)
    load(root, "support").build()
    evaluate_flow(load(root, "handbook", "prompt=brief"))
    return Prepared(root, older, gated.evaluated.run.id, releases[0].digest, next(iter(flow.chunks())).id)


def load(root: Path, name: str, *overrides: str) -> Flow:
    folder = root / "flows" / name
    return Flow.load(folder, overrides=overrides, project=Project.find(folder))


def _written(root: Path, model_url: str) -> Flow:
    (root / "docs" / "people").mkdir(parents=True)
    for name, text in _texts().items():
        (root / "docs" / name).write_text(text)
    (root / "docs" / "people" / "visitors.md").write_text(VISITORS)
    shutil.copytree(REPOSITORY / "flows" / "handbook", root / "flows" / "handbook")
    settings = root / "flows" / "handbook" / "flow.yaml"
    settings.write_text(settings.read_text().replace('["*.md"]', '["**/*.md"]'))
    (root / "flows" / "handbook" / "gate.yaml").write_text(GATE)
    (root / "genaiops.yaml").write_text("environments: [dev, test, prod]\ntracking: none\n")
    scaffold("support", root)
    _copy("eval_datasets/handbook/CARD.md", root)
    (root / "eval_datasets" / "handbook" / "golden.jsonl").write_text(_cases())
    price = {"input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    card = {"base_url": model_url, "model": "scripted", **price}
    models = dict.fromkeys(("careful", "gpt-4o-mini", "house-small"), card)
    (root / "models.yaml").write_text(json.dumps({"models": models}))
    _write_files(root)
    return load(root, "handbook")


def _texts() -> dict[str, str]:
    """The beginning of some pages, in whole sections: enough for answers, and quickly embedded."""
    found = {}
    for name, most in CORPUS.items():
        text = (REPOSITORY / "docs" / name).read_text()
        found[name] = text if len(text) <= most else text[: text.rindex("\n## ", 0, most)]
    return found


def _cases() -> str:
    """The bundled golden set, as far as the texts hold its evidence, and a few of the other cases."""
    texts = _texts()
    folder = REPOSITORY / "eval_datasets" / "handbook"
    lines = (folder / "golden.jsonl").read_text().splitlines(keepends=True)
    kept = []
    without = 0
    for case, line in zip(GoldenSet.load(folder).cases, lines, strict=True):
        held = all(item.quote in texts.get(item.document, "") for item in case.evidence)
        without += not case.evidence
        if held and (case.evidence or without % EVERY == 0):
            kept.append(line)
    return "".join(kept)


def _write_files(root: Path) -> None:
    """The files that the pages take as given."""
    answers = [{**ROW, "id": number} for number in (1, 2)]
    files: dict[str, list[dict[str, Any]]] = {
        "rows.jsonl": answers,
        "answers.jsonl": answers[:1],
        "questions.jsonl": [{"question": row["text"]} for row in QUERIES],
        "queries.jsonl": QUERIES,
        "qa.jsonl": AZURE,
        "dontknow.jsonl": [{"query": "Who composed the opera Tosca?"}],
    }
    for name, rows in files.items():
        (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "list.json").write_text(json.dumps(answers))


def labelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As if somebody had labelled the sheet: every third answer is bad."""
    return [{**row, "label": number % 3 > 0} for number, row in enumerate(rows)]


def _copy(name: str, root: Path) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / name, root / name)


def scripted_reply(body: dict[str, Any]) -> str | Reply:
    """What the project's models say: a verdict or cases where they are asked for, else an answer.

    Whoever names no model is taken for a caller of an application, which tells its sources too.
    """
    if "model" not in body:
        source = {"document": "cost.md", "text": DRAFT["quote"]}
        said = {"answer": DRAFT["answer"], "choices": [{"message": {"content": ROW["answer"]}}]}
        return Reply(body=json.dumps({**said, "contexts": [source], "sources": [source]}).encode())
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    if "\ntoken: " in f"\n{asked}":
        return scripted_verdict(body)
    return json.dumps({"cases": [DRAFT]}) if '"cases"' in asked else "A release bundles the index and the prompt [1]."


# --- a reader ----------------------------------------------------------------------------------

WRITES = ("--out", "--html", "--junit", "--markdown", "--report-json", "--csv", "--step-summary")  # a file


@dataclass
class Reader:
    """Somebody who types a page's examples in a copy of the prepared project, which is the working folder."""

    prepared: Prepared
    url: str
    type_in: Run
    capsys: pytest.CaptureFixture[str]
    release: str = ""
    scope: dict[str, Any] = field(default_factory=dict)

    def real(self, text: str) -> str:
        """The text with ids and addresses of this project in place of those that a page makes up."""
        made_up = {
            "INDEX INDEX": f"{self.prepared.older} handbook@current",
            "2b5cdc55": self.prepared.older[:8],
            "CHUNK": self.prepared.chunk,
            "3038ebc3": self.prepared.chunk[:8],
            "RELEASE": self.release or self.prepared.release,
            "20261121t130355120z-71044e07": self.prepared.run,
            "20261121 ": f"{self.prepared.run} ",
            "cost-reason-180a0c70": _first_id(Path("eval_datasets/handbook/proposed.jsonl")),
            "http://127.0.0.1:8000/chat": f"{self.url}/chat/completions",
            "$GITHUB_STEP_SUMMARY": "step-summary.md",
        }
        return re.sub("|".join(map(re.escape, made_up)), lambda found: made_up[found.group()], text)

    def run(self, line: str) -> Result:
        """Type one line; what it prints goes where the line says."""
        words = shlex.shlex(self.real(line), posix=True, punctuation_chars="|&;<>")
        words.whitespace_split = True
        first, operator, rest = _cut(list(words))
        with pytest.MonkeyPatch.context() as patch:
            while "=" in first[0]:
                patch.setenv(*first.pop(0).split("=", 1))
            patch.setattr("sys.stdin", io.StringIO("a\nr\nq\n"))  # for golden review
            done = self.type_in(*first[1:])
        if operator == ">":
            Path(rest[0]).write_text(done.out)
        elif operator == "|":
            assert rest[0] == "python"
            subprocess.run([sys.executable, *rest[1:]], input=done.out, text=True, check=True, capture_output=True)
        for option, name in itertools.pairwise(first):
            assert option not in WRITES or done.code or Path(name).stat().st_size, name
        self._meanwhile(first, done)
        return done

    def _meanwhile(self, words: list[str], done: Result) -> None:
        """What a reader does between two lines: fill in a sheet, note an id."""
        if words[1:3] == ["judge", "sheet"]:
            sheet = Path(words[words.index("--out") + 1])
            rows = [json.loads(row) for row in sheet.read_text().splitlines()]
            sheet.write_text("".join(json.dumps(row) + "\n" for row in labelled(rows)))
        if words[1] == "release" and done.code == 0:
            self.release = re.findall(r"release ([0-9a-f]{12})", done.out)[0]

    def execute(self, program: str, place: str) -> str:
        """Run a block of Python after those before it on its page; what it printed."""
        self.capsys.readouterr()
        exec(compile(program, place, "exec"), self.scope)
        return self.capsys.readouterr().out


def _cut(words: list[str]) -> tuple[list[str], str, list[str]]:
    """A command's words, the first operator after it, and what follows."""
    at = next((n for n, word in enumerate(words) if set(word) <= set("|&;<>")), len(words))
    return words[:at], "".join(words[at : at + 1]), words[at + 1 :]


def _first_id(file: Path) -> str:
    lines = file.read_text().splitlines() if file.exists() else []
    return str(json.loads(lines[0])["id"]) if lines else "nothing-is-proposed"
