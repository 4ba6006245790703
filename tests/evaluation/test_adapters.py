"""Metrics of other libraries, for real: the installed library asks a scripted model through our client."""

from __future__ import annotations

import inspect
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation.adapters import adapter_measure
from genaiops.evaluation.llm_judges.planning import plan_judging
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.tools import Tools
from genaiops.records import Score, Unscored
from genaiops.testing import Reply, ScriptedModelServer
from tests.contracts.measure_contract import MeasureContract
from tests.evaluation.judging_models import sample, tools

NAMES = {
    "mlflow": ("correctness", "relevance_to_query", "retrieval_groundedness", "safety", "equivalence"),
    "ragas": ("faithfulness", "context_recall", "context_precision", "factual_correctness", "response_groundedness"),
    "deepeval": ("faithfulness", "answer_relevancy", "contextual_recall", "hallucination"),
}
CASES = [(library, name) for library, names in NAMES.items() for name in names]
# Of what these libraries import; their own code is not ours to warn about.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def needed(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed here")


def filled(shape: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """The friendliest value of a JSON schema: yes, 1, one item in each list."""
    root = root or shape
    if "$ref" in shape:
        return filled(root["$defs"][shape["$ref"].rpartition("/")[2]], root)
    if "anyOf" in shape:
        return filled(shape["anyOf"][0], root)
    if "enum" in shape:
        return shape["enum"][0]
    kind = shape.get("type")
    if kind == "object":
        return {name: filled(inner, root) for name, inner in shape.get("properties", {}).items()}
    if kind == "array":
        return [filled(shape["items"], root)]
    return {"string": "yes", "integer": 1, "number": 1.0, "boolean": True}[str(kind)]


def friendly(body: dict[str, Any]) -> str:
    """A model that fills any schema, and says yes where it is given none."""
    wanted = body.get("response_format", {}).get("json_schema")
    return json.dumps(filled(wanted["schema"]) if wanted else {"result": "yes", "rationale": "It is so."})


def test_a_plan_says_that_it_cannot_know_what_another_library_asks(tmp_path: Path) -> None:
    needed("mlflow")
    with ScriptedModelServer(friendly) as server:
        measure = adapter_measure("mlflow", "correctness", tools(server, tmp_path / "cache.db"))
        samples = [sample(1), sample(2), sample(3, reference="")]
        (plan,) = plan_judging([measure], samples, repeats=3)
        assert server.requests == []
        assert (plan.what, plan.calls, plan.cached, plan.input_tokens, plan.cost_usd) == (
            "mlflow:correctness", None, 0, None, None,
        )  # fmt: skip
        assert "not known beforehand" in plan.notes[0] and "each of 6 cases" in plan.notes[0]
        measure.score(samples[:2])
        (after,) = plan_judging([measure], samples)
    assert (after.calls, after.cached, after.cost_usd) == (0, 2, 0.0)


@pytest.mark.parametrize(("library", "name"), CASES)
class TestContract(MeasureContract):
    @pytest.fixture
    def measure(self, library: str, name: str) -> Any:
        needed(library)
        with ScriptedModelServer(friendly) as server:
            yield adapter_measure(library, name, tools(server))

    @pytest.fixture
    def samples(self) -> list[Sample]:
        return [sample(1), sample(2, contexts=(), reference="")]

    def test_its_name_is_the_one_that_was_asked_for(self, measure: Measure, library: str, name: str) -> None:
        assert str(measure) == f"{library}:{name}"
        assert measure.judge


@pytest.mark.parametrize("library", NAMES)
def test_what_a_metric_lacks_is_said_and_nothing_is_asked(library: str) -> None:
    needed(library)
    name = {"mlflow": "retrieval_groundedness"}.get(library, "faithfulness")
    with ScriptedModelServer(friendly) as server:
        (outcome,) = adapter_measure(library, name, tools(server)).score([sample(contexts=())])
        assert server.chats == []
    assert outcome == Unscored(f"{library}:{name} needs contexts")


@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize(
    "reply",
    [Reply("Lovely."), Reply('{"statements": NaN}'), Reply(status=402, text="no credit"), Reply("x", delay_s=3)],
    ids=["garbage", "NaN", "out of credit", "too slow"],
)
def test_a_failing_model_leaves_the_sample_unscored_with_the_reason(library: str, reply: Reply) -> None:
    needed(library)
    name = {"mlflow": "correctness"}.get(library, "faithfulness")
    with ScriptedModelServer(reply) as server:
        # MLflow tries eleven times, with pauses, what took longer than the card allows: here the budget ends first.
        given = tools(server, max_seconds=2.0, card={"timeout_s": 30.0 if library == "mlflow" else 1.0})
        (outcome,) = adapter_measure(library, name, given).score([sample()])
        for thread in threading.enumerate():
            if thread.name == "mlflow-scorer":  # given up by us; it holds the variables until the reply is there
                thread.join()
    assert isinstance(outcome, Unscored)
    assert outcome.reason


@contextmanager
def silent_endpoint() -> Iterator[tuple[str, list[bytes]]]:
    """An address that takes requests and never answers, and what came."""
    came: list[bytes] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                came.append(connection.recv(65536))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", came
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


def test_a_call_of_mlflow_that_was_given_up_makes_no_further_try_and_lets_others_in() -> None:
    """Else it would try eleven times with three minutes of pauses, and hold its address all the while."""
    needed("mlflow")
    with silent_endpoint() as (address, came), ScriptedModelServer(friendly) as server:
        silent = tools(server, max_seconds=2.0, card={"base_url": address, "timeout_s": 1.0})
        (outcome,) = adapter_measure("mlflow", "correctness", silent).score([sample()])
        assert isinstance(outcome, Unscored)
        assert "budget of 2.0 s" in outcome.reason
        (other,) = adapter_measure("mlflow", "correctness", tools(server)).score([sample()])  # waits for the address
        assert 1 <= len(came) < 11
    assert isinstance(other, Score)


def test_a_value_that_is_no_number_is_unscored_by_its_name() -> None:
    needed("ragas")
    with ScriptedModelServer(lambda body: json.dumps({"statements": []})) as server:  # ragas says NaN then
        (outcome,) = adapter_measure("ragas", "faithfulness", tools(server)).score([sample()])
    assert outcome == Unscored("ragas:faithfulness gave nan")


@pytest.mark.parametrize("library", NAMES)
def test_what_was_measured_is_not_measured_again(library: str, tmp_path: Path) -> None:
    needed(library)
    name = NAMES[library][0]
    with ScriptedModelServer(friendly) as server:
        before = adapter_measure(library, name, tools(server, tmp_path / "cache.db")).score([sample()])
        asked = len(server.chats)
        assert adapter_measure(library, name, tools(server, tmp_path / "cache.db")).score([sample()]) == before
        assert len(server.chats) == asked > 0
    assert isinstance(before[0], Score)


@pytest.mark.parametrize("library", NAMES)
def test_an_unknown_metric_is_an_error_that_lists_the_known_ones(library: str) -> None:
    needed(library)
    with pytest.raises(ConfigurationError, match=f"{library} has no metric 'faithfulnes'") as caught:
        adapter_measure(library, "faithfulnes", Tools())
    assert f"{library}:" in caught.value.remedy


@pytest.mark.parametrize("library", NAMES)
def test_an_absent_library_is_an_error_with_the_command_that_installs_it(library: str) -> None:
    script = (
        "import sys\n"
        f"sys.modules[{library!r}] = None\n"
        "from genaiops.evaluation.adapters import adapter_measure\n"
        "from genaiops.evaluation.tools import Tools\n"
        f"try: adapter_measure({library!r}, 'x', Tools())\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert "ConfigurationError" in done.stdout
    assert "pip install" in done.stdout


def test_bounds_that_cannot_hold_are_refused_and_the_process_keeps_its_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed("mlflow")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    with ScriptedModelServer(friendly) as server:
        with pytest.raises(ConfigurationError, match="cannot bound them"):
            adapter_measure("mlflow", "safety", tools(server, max_tokens=10))
        adapter_measure("mlflow", "safety", tools(server)).score([sample()])
        headers = server.chats[0].headers
    assert "sk-of-the-user" not in headers.get("authorization", "")  # it is not for what listens on this machine
    assert os.environ["OPENAI_API_KEY"] == "sk-of-the-user"
    assert "OPENAI_API_BASE" not in os.environ


GUARDED = """
import json, socket, sys
told = []
def watch(event, arguments):
    if event == "socket.connect" and arguments[0].family != socket.AF_UNIX and arguments[1][0] != "127.0.0.1":
        told.append(str(arguments[1])); raise OSError("no network")
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", b"127.0.0.1", "localhost"):
        told.append(str(arguments[0])); raise OSError("no network")
sys.addaudithook(watch)
try: socket.create_connection(("192.0.2.1", 9))
except OSError: pass
assert told.pop()  # the guard works
from genaiops.evaluation.adapters import adapter_measure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import JudgeSettings, ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard
from genaiops.testing import ScriptedModelServer
with ScriptedModelServer(friendly) as server:
    models = ModelCatalog(models={"judge": ModelCard(base_url=server.base_url)})
    measure = adapter_measure(sys.argv[1], sys.argv[2], Tools(models=models, judge=JudgeSettings(model="judge")))
    outcomes = measure.score([Sample("a", "How?", "With vinegar.", ("It is descaled with vinegar.",), "Vinegar.")])
import atexit; atexit._run_exitfuncs()
print(json.dumps({"told": told, "outcomes": [str(one) for one in outcomes]}))
"""


@pytest.mark.parametrize("library", NAMES)
def test_a_library_calls_nobody_but_the_configured_model(library: str, tmp_path: Path) -> None:
    needed(library)
    root = Path(__file__).parents[2]
    script = f"from typing import Any\n{inspect.getsource(filled)}{inspect.getsource(friendly)}{GUARDED}"
    paths = ":".join([str(root), *(path for path in sys.path if "site-packages" in path)])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, library, NAMES[library][0]],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": paths, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["told"] == []
    assert "Score" in said["outcomes"][0]
