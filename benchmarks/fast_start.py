"""How long `genaiops ask` takes in a fresh process, against a Python that only imports sentence_transformers.

python -m benchmarks.fast_start
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable

from benchmarks.children import Finished, genaiops, in_turn, python
from benchmarks.places import HANDBOOK, project
from benchmarks.reporting import Figure, Report, alone_with_runs, at_least, at_most, spread
from genaiops.embedding.fast_making import Made
from genaiops.embedding.loading import LocalEmbedder
from genaiops.flow import Flow

RUNS = 7
LIMIT = 0.25
MIN_COSINE = 0.999
IMPORT = "import sentence_transformers"
QUESTION = "How do I roll a release back?"
HEAVY = frozenset(["torch", "transformers", "sentence_transformers", "scipy", "sklearn", "pandas", "mlflow", "openai"])
_TEXTS = 60  # half of them whole chunks, half first sentences; none was looked at when the session was made


def measure(runs: int = RUNS) -> Report:
    """The ratio of both, each `runs` times in turn, with the index built and the fast session made beforehand."""
    where = project()
    flow = Flow.load(HANDBOOK, project=where)
    flow.build()
    embedder = flow.embedder
    assert isinstance(embedder, LocalEmbedder)
    made = _made_anew(flow, embedder)

    sides: tuple[Callable[[], Finished], ...] = (
        lambda: genaiops("ask", str(HANDBOOK), QUESTION, home=where.home),
        lambda: python("-c", IMPORT),
    )
    for side in sides:
        side()  # the first of each fills the file cache
    ours, bare = in_turn(sides, runs)
    ours_seconds, bare_seconds = [run.seconds for run in ours], [run.seconds for run in bare]
    ratio = statistics.median(ours_seconds) / statistics.median(bare_seconds)
    found = ours[0].modules & HEAVY
    cosine, session_ms, torch_ms = _compared(flow, embedder)
    return Report(
        "Fast start",
        (
            at_most(f"`genaiops ask` ÷ `python -c '{IMPORT}'`, medians of {runs} runs each in turn", ratio, LIMIT),
            at_least("least cosine of the session's vectors to torch's in fp32", cosine, MIN_COSINE, digits=6),
            Figure("heavy modules imported by `ask`", ", ".join(sorted(found)) or "none", "none", not found),
            Figure("`genaiops ask`, whole process", spread(ours_seconds, unit=" s")),
            Figure(f"`python -c '{IMPORT}'`", spread(bare_seconds, unit=" s")),
            Figure("one question's vector, session", spread(session_ms, unit=" ms", digits=1)),
            Figure("one question's vector, torch fp32", spread(torch_ms, unit=" ms", digits=1)),
            Figure("making the session, once", f"{made.seconds:.1f} s"),
        ),
        notes=(
            f"Seconds: median (least–most). The engine is {made.engine}; the index of the handbook is built and the "
            f"session made before the first run. Cosines over {_TEXTS} texts of the handbook, milliseconds over the "
            "short half of them.",
        ),
    )


def _made_anew(flow: Flow, embedder: LocalEmbedder) -> Made:
    """The session, made now, so that its making is measured."""
    shutil.rmtree(flow.project.home / "sessions", ignore_errors=True)
    embedder.embed([QUESTION] * 8)  # torch is loaded, as it is after a question that had to wait for it
    made = embedder.make_fast_session()
    if made is None:
        raise RuntimeError("no fast session can be made here: pip install onnxruntime onnx onnxscript")
    return made


def _compared(flow: Flow, embedder: LocalEmbedder) -> tuple[float, list[float], list[float]]:
    """Least cosine, and milliseconds for one text by the session and by torch, text by text in turn."""
    from genaiops.embedding.sentence_transformer import encode, load_model
    from genaiops.embedding.weights import locate

    session = embedder.fast_session
    assert session is not None
    torch_model = load_model(locate(flow.settings.embedding.model), "fp32")
    chunks = flow.chunks()
    texts = [chunk.text for chunk in chunks[:: max(1, len(chunks) // (_TEXTS // 2))]][: _TEXTS // 2]
    texts += [text.split(".")[0].strip() or text for text in texts]
    cosines, ours, theirs = [], [], []
    for text in texts:
        start = time.perf_counter()
        fast = session.embed([text])
        between = time.perf_counter()
        slow = encode(torch_model, [text], 1)
        theirs.append(1000 * (time.perf_counter() - between))
        ours.append(1000 * (between - start))
        cosines.append(float((fast * slow).sum()))
    half = len(texts) // 2  # the short ones are like questions
    return min(cosines), ours[half:], theirs[half:]


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
