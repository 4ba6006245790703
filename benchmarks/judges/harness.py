"""Judging through a model: calls, tokens and wall time beside ragas, DeepEval and MLflow, on one scripted endpoint.

python -m benchmarks.judges.harness [--runs N] [--peers]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers import PeersAbsent, run_peer
from benchmarks.reporting import Figure, Report, Table, at_least, at_most, markdown, spread
from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.llm_judges.group import FORMATS
from genaiops.evaluation.llm_judges.prompt import Material, messages_of, numbered_spans
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import JudgeSettings, ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard
from genaiops.records import Message, as_json

LATENCY_S, AT_ONCE, CASES, MANY, RUNS = 0.2, 32, 100, 320, 5
GROUP = ("groundedness", "relevance", "completeness", "utilization")
PEERS = ("ragas collections", "ragas evaluate()", "DeepEval", "MLflow")
_CONTEXT = (
    "A kettle is descaled with vinegar and rinsed twice. The filter is changed every three months, and sooner where "
    "the water is hard. Repairs above 150 euros need a deposit of one third of the estimate. Finished appliances are "
    "kept free of charge for 14 days. Invoices list labour in steps of ten minutes. Loans need an identity card. "
)


class Judge:
    """The scripted endpoint in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.base_url = self._line()

    def counted(self) -> dict[str, float]:
        """Calls and tokens since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counted: dict[str, float] = json.loads(self._line())
        return counted

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def judge() -> Iterator[Judge]:
    command = [sys.executable, "-m", "benchmarks.judges.scripted_judge", str(LATENCY_S)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Judge(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


def cases(count: int) -> list[dict[str, Any]]:
    """Rows of three passages each; no two are alike."""
    return [
        {
            "id": str(number),
            "question": f"How is kettle number {number} descaled, and how often is its filter changed?",
            "answer": f"Kettle {number} is descaled with vinegar. Its filter is changed every three months.",
            "contexts": [f"Passage {number}.{part}. {_CONTEXT}" for part in range(3)],
            "reference": f"Kettle {number} is descaled with vinegar; its filter is changed every three months.",
        }
        for number in range(count)
    ]


def samples(rows: list[dict[str, Any]]) -> list[Sample]:
    return [Sample(r["id"], r["question"], r["answer"], tuple(r["contexts"]), r["reference"]) for r in rows]


def ours(base_url: str, given: list[Sample], cache: Path | None = None) -> float:
    """Seconds for all four measures of the group."""
    models = ModelCatalog(models={"judge": ModelCard(base_url=base_url)})
    tools = Tools(models=models, cache_file=cache, judge=JudgeSettings(model="judge", concurrency=AT_ONCE))
    start = time.perf_counter()
    outcomes = [llm_measure(part, tools).score(given) for part in GROUP]
    seconds = time.perf_counter() - start
    if any(not hasattr(outcome, "value") for column in outcomes for outcome in column):
        raise RuntimeError(f"not every case was scored: {outcomes[0][0]}")
    return seconds


def bare(base_url: str, given: list[Sample]) -> float:
    """Seconds for the same requests by an HTTP client alone; nothing is made of the replies."""
    import httpx2

    bodies = [
        {"model": "judge", "messages": [as_json(one) for one in _messages(sample)], **FORMATS.options[0]}
        for sample in given
    ]

    async def run() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        limits, no_tls = httpx2.Limits(max_connections=AT_ONCE), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx2.AsyncClient(limits=limits, timeout=30, verify=no_tls) as client:

            async def one(body: dict[str, Any]) -> None:
                async with places:
                    (await client.post(f"{base_url}/chat/completions", json=body)).raise_for_status()

            await asyncio.gather(*(one(body) for body in bodies))

    start = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - start


def _messages(sample: Sample) -> tuple[Message, ...]:
    spans = numbered_spans(sample.answer)
    return messages_of(Material(sample.question, sample.contexts, sample.answer, spans, (sample.reference,)))[1]


def ideal(count: int) -> float:
    """Seconds when calls cost nothing but the endpoint's time: full rounds of AT_ONCE calls."""
    return math.ceil(count / AT_ONCE) * LATENCY_S


def measure(runs: int = RUNS, *, peers: bool = True) -> Report:
    rows = cases(MANY)
    with judge() as at, tempfile.TemporaryDirectory() as folder:
        ours(at.base_url, samples(rows[:AT_ONCE]))  # what is imported and set up once
        few, alone = [], []
        for _ in range(runs):  # in turn, so that both meet the same load
            few.append(ours(at.base_url, samples(rows[:CASES])))
            alone.append(bare(at.base_url, samples(rows[:CASES])))
        many = [ours(at.base_url, samples(rows)) for _ in range(runs)]
        at.counted()
        first = ours(at.base_url, samples(rows[:CASES]), Path(folder, "cache.db"))
        counted = at.counted()
        again = ours(at.base_url, samples(rows[:CASES]), Path(folder, "cache.db"))
        calls_again = at.counted()["calls"]
        table = [_row("genaiops, four measures", counted, statistics.median(few), None)]
        notes = []
        if peers:
            for name in PEERS:
                try:
                    found = run_peer(
                        "judging", {"peer": name, "base_url": at.base_url, "cases": rows[:CASES], "at_once": AT_ONCE}
                    )
                    table.append(_row(name, at.counted(), found["seconds"], found["version"]))
                except (PeersAbsent, RuntimeError) as error:
                    notes.append(f"{name}: not measured: {str(error).strip().splitlines()[-1]}")
    context_tokens = statistics.mean(sum(len(text.encode()) for text in row["contexts"]) / 4 for row in rows[:CASES])
    beyond = counted["tokens"] / CASES - context_tokens
    figures = (
        at_least(f"ideal ÷ wall time, {CASES} cases", ideal(CASES) / min(few), 0.95),
        Figure("seconds for them", f"{spread(few, unit=' s', digits=3)}, ideal {ideal(CASES):.2f} s"),
        Figure(
            "the same requests by an HTTP client alone",
            f"{spread(alone, unit=' s', digits=3)}, {ideal(CASES) / min(alone):.2f} of the ideal",
        ),
        at_least(f"ideal ÷ wall time, {MANY} cases", ideal(MANY) / min(many), 0.95),
        at_most("calls a case", counted["calls"] / CASES, 1, digits=2),
        at_most("tokens a case beyond its contexts", beyond, 1500, digits=0),
        at_most("calls when nothing changed", calls_again, 0, digits=0),
        at_most("seconds when nothing changed ÷ first run", again / first, 0.05, digits=3),
    )
    caption = f"{CASES} cases, {AT_ONCE} at once; peers: faithfulness and relevancy (ours: those and two more)."
    head = ("library", "calls a case", "tokens a case", "seconds", "ideal ÷ wall time")
    told = (
        f"The endpoint answers after {1000 * LATENCY_S:.0f} ms. Ideal is calls ÷ {AT_ONCE}, rounded up to full rounds, "
        "times that; best of the runs, since other load only slows. Tokens are bytes / 4 for all, schema included.",
    )
    return Report("Harness of judging models", figures, (Table(caption, head, tuple(table)),), (*told, *notes))


def _row(name: str, counted: dict[str, float], seconds: float, version: str | None) -> tuple[str, ...]:
    calls = counted["calls"]
    share = ideal(int(calls)) / seconds
    shown = f"{name} {version}" if version else name
    return (shown, f"{calls / CASES:.2f}", f"{counted['tokens'] / CASES:,.0f}", f"{seconds:.2f}", f"{share:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="how often ours is measured (%(default)s)")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="measure the others too")
    given = parser.parse_args()
    print(markdown(measure(given.runs, peers=given.peers)))


if __name__ == "__main__":
    main()
