"""The two sides of `benchmarks.build_rate`, each for a process of its own; prints `{"seconds": …}`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from benchmarks.places import WELL_ARCHITECTED, project, sources

WARM_UP = ["A first text, because the first batch pays for what is set up once."] * 8


def build(source: str, home: str, precision: str, texts: str, changed: str = "{}") -> None:
    """One cold build with the model in memory; leaves the texts it embedded in the file `texts`.

    `changed` is a JSON object of paths and the texts they shall hold then: with any, two builds more, one after the
    change and one after nothing.
    """
    from genaiops.flow import Flow

    given = json.loads(source) if source.startswith("[") else [source]  # a folder, or a JSON list of files
    settings = [sources(*map(Path, given)), f"embedding.precision={precision}"]
    warm = Flow.load(WELL_ARCHITECTED, overrides=settings, project=project(Path(home, "other")))
    warm.embedder.embed(WARM_UP)  # models are shared in the process
    start = time.perf_counter()
    flow = Flow.load(WELL_ARCHITECTED, overrides=settings, project=project(Path(home)))
    report = flow.build()
    seconds = time.perf_counter() - start
    unique = list(dict.fromkeys(chunk.indexed_text for chunk in flow.chunks()))
    if report.embedded != len(unique):
        raise RuntimeError(f"the build embedded {report.embedded} texts, it holds {len(unique)}: it was not cold")
    Path(texts).write_text(json.dumps(unique), encoding="utf-8")
    done: dict[str, object] = {"seconds": seconds, "chunks": report.chunks, "characters": sum(map(len, unique))}
    if rewritten := json.loads(changed):
        for path, text in rewritten.items():
            Path(path).write_text(text, encoding="utf-8")
        for step in ("changed", "unchanged"):
            start = time.perf_counter()
            report = Flow.load(WELL_ARCHITECTED, overrides=settings, project=project(Path(home))).build()
            done[step] = {"seconds": time.perf_counter() - start, "asked": report.embedded, "chunks": report.chunks}
    print(json.dumps(done))


def encode(texts: str, precision: str) -> None:
    """sentence-transformers as its documentation shows it, with the batch size that we use."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from sentence_transformers import SentenceTransformer

    from genaiops.embedding import DEFAULT_MODEL
    from genaiops.embedding.sentence_transformer import BATCH
    from genaiops.embedding.weights import locate

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = SentenceTransformer(
        str(locate(DEFAULT_MODEL)), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype}
    )
    batch = BATCH["bf16" if precision == "bf16" else "fp32"]
    options = {"batch_size": batch, "normalize_embeddings": True, "show_progress_bar": False}
    model.encode(WARM_UP, **options)
    content = json.loads(Path(texts).read_text(encoding="utf-8"))
    start = time.perf_counter()
    model.encode(content, **options)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(*sys.argv[2:])
    elif sys.argv[1] == "incremental":
        from benchmarks.incremental import sides

        sides(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        encode(*sys.argv[2:])
