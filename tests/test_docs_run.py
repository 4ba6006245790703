"""What the README and the handbook tell a reader to type does what they say: each page is run from top to bottom."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from genaiops.embedding import EmbeddingSettings, load_embedder, loading
from genaiops.testing import ScriptedModelServer
from tests.cli.commands import runner
from tests.docs_project import ENVIRONMENT, Prepared, Reader, Remembering, prepare, scripted_reply
from tests.test_docs import Block, blocks

SHELL = ("bash", "sh", "console")

# --- what a page cannot know ----------------------------------------------------------------------

NOT_RUN = {  # part of a line: why it is not run here
    "genaiops serve": "runs until it is stopped; tests/serving start it for real",
    "--engine ray": "starts a cluster; tests/flow/test_ray_engine.py does it",
}
OTHER_PROGRAMS = {  # first word of a line: why it is not run here
    "make": "makes the environment that this test runs in",
    "source": "is of the reader's shell",
    "export": "is of the reader's shell",
    "pip": "installs packages",
    "curl": "asks a service; tests/serving do that for real",
    "rm": "removes what `make install` made",
}
PYTHON_NOT_RUN = {  # part of a block: why it is not run here
    "make_fast_session()": "takes 5 to 15 seconds; tests/embedding/test_fast_session.py does it",
    'OpenAI(base_url="http://127.0.0.1:8080/v1"': "asks a service; tests/serving do that with the same client",
}
EXIT_CODES: dict[tuple[str, str], tuple[int, str]] = {  # page and part of a line: its exit code, and why not 0
    ("README.md", "gate flows/support"): (3, "four cases decide nothing, as the page says"),
    ("scoring.md", "--gate flows/handbook"): (1, "the application of this test gives every question one answer"),
    ("golden-sets.md", "split flows/support --dev 0.5"): (2, "two groups of cases cannot fill three parts"),
    ("scoring.md", "score list.json"): (2, "one JSON list is no file of rows, as the page says"),
    ("scoring.md", "'answer: data.text'"): (3, "the expression finds nothing, as the page says"),
    ("index.md", "gate flows/support"): (3, "four cases decide nothing"),
    ("index.md", "release flows/support"): (3, "nor do they earn a release"),
}
SAYS: dict[tuple[str, str], str] = {  # page and part of a line: what is then printed, as the page tells it
    ("scoring.md", "score list.json"): "this is one JSON list, and no file of rows",
    ("README.md", "new support"): "eval_datasets/support/golden.jsonl",
    ("README.md", "ask flows/support"): "within 30 days",
    ("README.md", "gate flows/support"): "verdict: inconclusive",
    ("README.md", "forget flows/support"): "receipt 1",
    ("flows.md", "--dry-run"): "is current",
    ("flows.md", "config show"): "flow.yaml:",
    ("gates.md", "--against prod"): "no worse than the champion",
    ("generation.md", "house-small"): "[1] ",
    (
        "golden-sets.md",
        "golden stats",
    ): "smallest drop of a measure from 0 to 1 that it shows 4 times in 5",
    ("golden-sets.md", "lint flows/support"): "cases quote 1 of 1 document, 3 of 3 sections of 10 words or more",
    ("golden-sets.md", "draft flows/support"): "0 proposals: none of 6 sentences in 1 document has a form",
    ("golden-sets.md", "split flows/support --dev 0.5"): "4 cases of 'support' leave dev without a case",
    ("golden-sets.md", "--limit 2"): "2 proposals; left out: ",
    ("golden-sets.md", "--by model"): "1 proposal",
    ("golden-sets.md", "golden review"): "1 accepted, 1 rejected, 1 waiting",
    ("golden-sets.md", "--split holdout"): "golden set support (holdout, look 1 at the holdout)",
    ("index-life.md", "diff"): "+ lineage.md",
    ("index-life.md", "rebuild"): "today's code makes the same",
    ("index-life.md", "people/visitors.md --dry-run"): "would erase people/visitors.md",
    ("judges.md", "judge correct"): "the judge alone says",
    ("lineage.md", "lineage answer.json"): "confirmed",
    ("llm-judges.md", "votes=3"): '"measure": "llm:relevance"',
    ("llm-judges.md", "--plan"): "judge  careful",
    ("releases.md", "rollback prod"): "prod serves",
    ("releases.md", "audit verify"): "nothing was altered",
    ("retrieval.md", "retrieval learn"): "in flow.yaml:",
    ("retrieval.md", "year="): "no chunk was permitted",
    ("scoring.md", "score rows.jsonl"): "application on rows.jsonl: 2 cases",
    ("scoring.md", "--questions questions.jsonl"): "application on questions.jsonl: 2 cases",
    ("statistics.md", "--repeat 3"): "asked 3 times: 0 of ",
    ("statistics.md", "--sequential"): "at 97.5 % confidence",
    ("waterfall.md", "explain"): "lost at: ",
}
PAGE_ENVIRONMENT: dict[str, Mapping[str, str]] = {  # what a page has the reader set or write before
    "llm-judges.md": {
        "GENAIOPS_EVALUATION__MEASURES": "['llm:groundedness', 'llm:relevance']",
        "GENAIOPS_EVALUATION__JUDGE": "{model: careful}",
    },
    "scoring.md": {"APP_KEY": "any"},
}
AFRESH = {"commands.md": "lists commands: each example stands for itself"}
LEAST_SHARE = 0.95  # of all lines with a command that must be run


# --- lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of shell: continued lines joined, a prompt taken off."""

    page: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.number}: {self.text}"

    @property
    def command(self) -> bool:
        return re.match(r"([A-Z_]+=\S+ )*genaiops ", self.text) is not None

    @property
    def not_run(self) -> str:
        """The part of the line for which it is not run, "" for a line that is."""
        return next((part for part in NOT_RUN if part in self.text), "")

    @property
    def code(self) -> int:
        return next((code for (page, part), (code, _) in EXIT_CODES.items() if self.has(page, part)), 0)

    def has(self, page: str, part: str) -> bool:
        return page == self.page and part in self.text


def lines_of(block: Block) -> Iterator[Line]:
    number, text = block.line, block.text
    for line in re.split(r"(?<!\\)\n", text.rstrip("\n")):
        shown = line.replace("\\\n", " ")
        if block.kind != "console" or shown.startswith("$ "):
            yield Line(block.page.name, number, shown.removeprefix("$ "))
        number += line.count("\n") + 1


ALL_LINES = [line for block in blocks(*SHELL) for line in lines_of(block)]
PROGRAMS = blocks("python")
PAGES = list(dict.fromkeys(block.page.name for block in blocks(*SHELL, "python")))


def python_not_run(block: Block) -> str:
    return next((part for part in PYTHON_NOT_RUN if part in block.text), "")


# --- the pages ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ScriptedModelServer(scripted_reply) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[Prepared]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GENAIOPS_HOME", raising=False)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        embedder = load_embedder(EmbeddingSettings(precision="fp32"))
        # For commands without a flow. Measuring which precision is faster here takes longer than all the rest.
        patch.setitem(loading._CHOSEN, embedder.fingerprint, "fp32")
        patch.setitem(loading._LOADED, (embedder.fingerprint, "fp32"), Remembering(embedder._loaded("fp32")))
        yield prepare(tmp_path_factory.mktemp("docs") / "project", url)


@pytest.fixture
def reader(prepared: Prepared, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(prepared, url, runner(monkeypatch, capsys), capsys)


def start(prepared: Prepared, page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new copy of the project as the working folder, as a reader of this page finds it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared.root, folder)
    if any("genaiops new support" in line.text for line in ALL_LINES if line.page == page):
        for part in ("flows", "eval_datasets", "documents", ".genaiops/flows"):
            shutil.rmtree(folder / part / "support")
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_typed_from_top_to_bottom(
    page: str, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PAGE_ENVIRONMENT.get(page, {}).items():
        monkeypatch.setenv(name, value)
    start(reader.prepared, page, tmp_path / "project", monkeypatch)
    for block in blocks(*SHELL, "python", "text"):
        if block.page.name != page or block.kind == "text":
            continue
        if block.kind == "python":
            if not python_not_run(block):
                printed = reader.execute(block.text, str(block))
                if shown := text_below(block):
                    assert printed == shown, str(block)
            continue
        if page in AFRESH:
            start(reader.prepared, page, tmp_path / "project", monkeypatch)
            reader.release = ""
        for line in lines_of(block):
            if line.command and not line.not_run:
                done = reader.run(line.text)
                printed = done.out + done.err
                assert done.code == line.code, f"{line}\n{printed}"
                told = [said for (of, part), said in SAYS.items() if line.has(of, part) and said not in printed]
                assert told == [], f"{line}\n{printed}"


def text_below(block: Block) -> str:
    """The text block that stands directly below a block of Python: what it prints."""
    last = block.line + block.text.count("\n")
    return next((other.text for other in blocks("text") if other.page == block.page and other.line == last + 3), "")


def test_the_tests_on_the_page_of_testing_pass(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(reader.prepared, "testing.md", tmp_path / "project", monkeypatch)
    shown = [block.text for block in PROGRAMS if block.page.name == "testing.md" and "def test_" in block.text]
    Path("test_page.py").write_text("\n".join(shown))
    Path("pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:warnings", "test_page.py"]) == 0, capsys.readouterr()
    assert f"{sum(text.count('def test_') for text in shown)} passed" in capsys.readouterr().out


# --- the tables above -------------------------------------------------------------------------------------


def test_every_line_of_shell_is_run_or_said_why_not() -> None:
    assert [str(line) for line in ALL_LINES if not line.command and line.text.split()[0] not in OTHER_PROGRAMS] == []


def test_most_lines_with_a_command_are_run() -> None:
    commands = [line for line in ALL_LINES if line.command]
    assert len(commands) > 100
    assert sum(not line.not_run for line in commands) >= LEAST_SHARE * len(commands)


def test_what_programs_print_is_compared_wherever_a_page_shows_it() -> None:
    shown = [block for block in PROGRAMS if not python_not_run(block) and text_below(block)]
    assert len(shown) >= 10


def test_no_exception_outlives_its_line() -> None:
    texts = [line.text for line in ALL_LINES]
    dead = [part for part in NOT_RUN if not any(part in text for text in texts)]
    dead += [program for program in OTHER_PROGRAMS if program not in {text.split()[0] for text in texts}]
    dead += [part for part in PYTHON_NOT_RUN if not any(part in block.text for block in PROGRAMS)]
    dead += [
        f"{page}: {part}" for page, part in (*EXIT_CODES, *SAYS)
        if not any(line.has(page, part) and not line.not_run for line in ALL_LINES)
    ]  # fmt: skip
    dead += [page for page in (*AFRESH, *PAGE_ENVIRONMENT) if page not in PAGES]
    assert dead == []


PARTS = (
    *("documents.md", "cleansing.md", "chunking.md", "enrichment.md", "embedding.md", "indexing.md", "retrieval.md"),
    *("index-life.md", "lineage.md", "flows.md"),
    *("judges.md", "llm-judges.md", "measures.md", "scoring.md", "golden-sets.md", "statistics.md", "waterfall.md"),
    *("reports.md", "evaluation.md", "gates.md", "releases.md"),
)


@pytest.mark.parametrize("page", PARTS)
def test_the_page_of_each_part_has_an_example_that_is_run(page: str) -> None:
    lines = [line for line in ALL_LINES if line.page == page and line.command and not line.not_run]
    programs = [block for block in PROGRAMS if block.page.name == page and not python_not_run(block)]
    assert lines or programs
