"""Scorers of MLflow that judge one answer: `mlflow:correctness`, `mlflow:relevance_to_query` …

MLflow calls the model itself, by its own client and its own retries, and reads address and key from variables of
the process; they are set while it works. Its calls cannot be counted from here, so a bound on tokens or money is
refused; `max_seconds` holds, and what it ends makes no further try.
"""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.adapters.adapted import AdaptedMeasure, fields_of, on_background_loop, unknown_metric
from genaiops.evaluation.adapters.mlflow_pauses import ending_with
from genaiops.evaluation.adapters.variables import VARIABLES
from genaiops.evaluation.llm_judges import llm_judge_of
from genaiops.evaluation.llm_judges.calling import Unjudged
from genaiops.evaluation.llm_judges.group import GroupJudge
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import Tools
from genaiops.generation.openai_compatible import OPENAI_URL

Fields = Mapping[str, Any]
_GIVE_UP = 5  # errors in a row
_ALIKE: Mapping[object, float] = {"yes": 1.0, "no": 0.0, True: 1.0, False: 0.0}


def _asked(fields: Fields) -> dict[str, Any]:
    return {"inputs": {"question": fields["question"]}, "outputs": fields["answer"]}


# Class in mlflow.genai.scorers: what it is called with.
_SCORERS: Mapping[str, tuple[tuple[str, ...], Callable[[Fields], dict[str, Any]]]] = {
    "Correctness": (
        ("question", "answer", "reference"),
        lambda f: {**_asked(f), "expectations": {"expected_response": f["reference"]}},
    ),
    "RelevanceToQuery": (("question", "answer"), _asked),
    "Completeness": (("question", "answer"), _asked),
    "Summarization": (("question", "answer"), _asked),
    "Safety": (("answer",), lambda f: {"outputs": f["answer"]}),
    "Fluency": (("answer",), lambda f: {"outputs": f["answer"]}),
    "Equivalence": (
        ("answer", "reference"),
        lambda f: {"outputs": f["answer"], "expectations": {"expected_response": f["reference"]}},
    ),
}
# Those that want a trace of the application: MLflow's own judge behind them is called with the texts.
_JUDGES: Mapping[str, tuple[tuple[str, ...], str, Callable[[Fields], dict[str, Any]]]] = {
    "retrieval_groundedness": (
        ("question", "answer", "contexts"),
        "is_grounded",
        lambda f: {"request": f["question"], "response": f["answer"], "context": f["contexts"]},
    ),
    "retrieval_sufficiency": (
        ("question", "contexts", "reference"),
        "is_context_sufficient",
        lambda f: {
            "request": f["question"], "context": f["contexts"], "expected_facts": [],
            "expected_response": f["reference"],
        },
    ),
}  # fmt: skip


def measure(name: str, tools: Tools) -> AdaptedMeasure:
    """`mlflow:<name>`, in snake case: correctness, relevance_to_query, retrieval_groundedness, safety …"""
    import mlflow.genai.judges
    import mlflow.genai.scorers

    known = {**{_snake(written): written for written in _SCORERS}, **{judge: judge for judge in _JUDGES}}
    if name not in known:
        raise unknown_metric("mlflow", name, known)
    for bound in ("max_tokens", "max_cost_usd"):
        if getattr(tools.judge, bound) is not None:
            raise ConfigurationError(
                f"measure 'mlflow:{name}': MLflow makes its own calls, and evaluation.judge.{bound} cannot bound them",
                remedy=f"unset {bound} and set max_seconds, or use an llm:… measure",
            )
    group = llm_judge_of(tools)
    uri = f"openai:/{group.card.model}"
    if name in _JUDGES:
        needs, function, arguments = _JUDGES[name]
        judge = getattr(mlflow.genai.judges, function)
        metric = _MLflow(needs, lambda fields: judge(**arguments(fields), model=uri), group)
    else:
        needs, arguments = _SCORERS[known[name]]
        scorer = getattr(mlflow.genai.scorers, known[name])(model=uri)
        metric = _MLflow(needs, lambda fields: scorer(**arguments(fields)), group)
    return AdaptedMeasure(f"mlflow:{name}", metric, group, lambda work: _run(work, group))


class _MLflow:
    """One scorer. Its calls block, so they run in threads of their own, as many at once as the judge may have."""

    unit_interval = True

    def __init__(self, needs: tuple[str, ...], call: Callable[[Fields], Any], group: GroupJudge) -> None:
        self.version = f"mlflow {version('mlflow')}"
        self.needs = needs
        self._call, self._group = call, group
        self._at_once = asyncio.Semaphore(group.settings.concurrency)
        self._failed_in_a_row = 0
        self._deadline: float | None = None

    async def value(self, sample: Sample) -> float:
        async with self._at_once:
            if self._failed_in_a_row >= _GIVE_UP:
                raise Unjudged(f"not asked, since {_GIVE_UP} cases failed in a row")
            try:
                feedback = await asyncio.wait_for(
                    _in_thread(self._call, fields_of(sample), _address(self._group)), self._seconds_left()
                )
                if feedback.error is not None:
                    raise ValueError(feedback.error.error_message or feedback.error.error_code)
            except TimeoutError:
                most = self._group.settings.max_seconds
                raise Unjudged(f"the judge's budget of {most} s (evaluation.judge.max_seconds) is used up") from None
            except Exception:
                self._failed_in_a_row += 1
                raise
        self._failed_in_a_row = 0
        said = getattr(feedback.value, "value", feedback.value)
        if said not in _ALIKE:
            raise ValueError(f"the judge said {said!r:.60}, neither yes nor no")
        return _ALIKE[said]

    def _seconds_left(self) -> float | None:
        most = self._group.settings.max_seconds
        if most is not None and self._deadline is None:
            self._deadline = time.monotonic() + most
        return None if self._deadline is None else self._deadline - time.monotonic()


def _snake(written: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in written).lstrip("_")


async def _in_thread(call: Callable[[Fields], Any], fields: Fields, address: Mapping[str, str]) -> Any:
    """The result of a blocking call. Its thread is a daemon: a call that never ends keeps nobody from leaving.

    The variables outlast the call, whoever waits for it: it must not find another address, nor send another key. A
    call that nobody waits for any more ends with the try it is at.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    given_up = threading.Event()

    def work() -> None:
        try:
            with warnings.catch_warnings(), ending_with(given_up):
                result, error = call(fields), None
        except Exception as raised:
            result, error = None, raised
        finally:
            VARIABLES.leave()
        loop.call_soon_threadsafe(_settle, done, result, error)

    VARIABLES.take(address)
    try:
        threading.Thread(target=work, name="mlflow-scorer", daemon=True).start()
    except RuntimeError:  # no room for another thread
        VARIABLES.leave()
        raise
    try:
        return await done
    finally:
        given_up.set()


def _settle(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _run(work: Awaitable[None], group: GroupJudge) -> None:
    with VARIABLES.set_to(_address(group)):
        on_background_loop(work)


def _address(group: GroupJudge) -> dict[str, str]:
    """The variables by which MLflow finds the model."""
    card = group.card
    one_try = min(card.timeout_s, group.settings.max_seconds or card.timeout_s)
    return {
        "OPENAI_API_BASE": card.base_url or OPENAI_URL,
        "OPENAI_API_KEY": group.caller.key or "none",
        "MLFLOW_GATEWAY_ROUTE_TIMEOUT_SECONDS": str(max(1, round(one_try))),  # of each of MLflow's tries
    }
