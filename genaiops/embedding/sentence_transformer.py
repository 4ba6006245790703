"""The sentence-transformers implementation, in fp32 or bf16."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version  # importing torch to ask for it would take seconds
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genaiops.embedding.cache import VectorCache
from genaiops.embedding.protocol import Progress, Vectors, silent
from genaiops.embedding.sample import SAMPLE
from genaiops.embedding.settings import Precision
from genaiops.embedding.side_by_side import side_by_side

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MIN_COSINE = 0.998  # of bf16 vectors to fp32 vectors of the same texts
# Texts in one pass. Each thread passes batches of its own: on two cores that embeds 1.2 to 1.35 times as much as one
# batch shared by both, and the more the shorter the texts are.
BATCH: dict[Precision, int] = {"fp32": 8, "bf16": 8}
_BLOCK = 512  # texts between two progress reports
_FEW = 4


class SentenceTransformerEmbedder:
    """Mean-pooled, normalised sentence vectors of a local model folder, computed on the CPU."""

    def __init__(self, folder: Path, fingerprint: str, precision: Precision) -> None:
        self.model = load_model(folder, precision)
        self.fingerprint = fingerprint
        self.precision: Precision = precision
        self.dimension = int(self.model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """Unit vectors, float32 `[len(texts), dimension]`. Texts of like length share a batch."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        for at in range(0, len(order), _BLOCK):
            block = order[at : at + _BLOCK]
            vectors[block] = encode(self.model, [texts[i] for i in block], BATCH[self.precision])
            progress(min(at + _BLOCK, len(order)), len(order))
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """The last layer's vectors of a text's tokens, scaled to length 1; special tokens are left out."""
        # Longest first, so that a batch needs little padding.
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        found: list[Vectors] = [np.empty((0, self.dimension), dtype=np.float32)] * len(texts)
        made = self.model.encode(
            [texts[i] for i in order],
            batch_size=BATCH[self.precision],
            output_value="token_embeddings",
            convert_to_numpy=False,
            show_progress_bar=False,
        )
        for i, tensor in zip(order, made, strict=True):
            rows = tensor.float().cpu().numpy()
            limit = {"truncation": True, "max_length": self.model.max_seq_length}
            with self.model.tokenizing:
                tokens = self.model.tokenizer(texts[i], return_special_tokens_mask=True, **limit)
            special = tokens["special_tokens_mask"]
            rows = rows[: len(special)][[not flag for flag in special]]
            found[i] = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
        return found


def load_model(folder: Path, precision: Precision) -> SentenceTransformer:
    """The model in `folder`, offline, safetensors only, no code from the folder."""
    # sentence-transformers asks the hub for a newer version unless it is told that there is none.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Read when torch is first loaded. Threads that spin while they wait for each other make everything else on a
    # busy machine ten times slower; sleeping cost 0 to 3 % of the rate on an idle one.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": dtype, "use_safetensors": True},
    )
    # Pooling and normalising in bf16 would cost 30 times the error of the layers before (min cosine 0.9963
    # against 0.9999 on 400 passages), so the token vectors go back to fp32 first.
    model[0].register_forward_hook(_tokens_to_fp32)
    _one_at_a_time(model)
    return model


def _one_at_a_time(model: SentenceTransformer) -> None:
    """Tokenizers keep truncation and padding as state, which threads must not change under each other."""
    lock, preprocess = threading.Lock(), model.preprocess

    def locked(*arguments: Any, **named: Any) -> Any:
        with lock:
            return preprocess(*arguments, **named)

    model.preprocess, model.tokenizing = locked, lock


def _tokens_to_fp32(_module: Any, _inputs: Any, output: dict[str, Any]) -> dict[str, Any]:
    output["token_embeddings"] = output["token_embeddings"].float()
    return output


def encode(model: SentenceTransformer, texts: Sequence[str], batch: int) -> Vectors:
    """Unit vectors of `texts`, `batch` of them in one pass, in as many threads as torch has; the same in any number.

    A few texts (a question) take one thread, which is as fast and disturbs nobody.
    """
    import torch

    threads = torch.get_num_threads()

    def passed(start: int) -> Vectors:
        found: Vectors = model.encode(
            list(texts[start : start + batch]),
            batch_size=batch,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return found

    starts = range(0, max(1, len(texts)), batch)
    if len(texts) > _FEW and len(starts) > 1 < threads:
        return np.concatenate(side_by_side(passed, starts, threads))
    try:
        if len(texts) <= _FEW:
            torch.set_num_threads(1)
        return np.concatenate([passed(start) for start in starts])
    finally:
        torch.set_num_threads(threads)


def machine() -> str:
    """What decides which precision is faster: processor, cores and library version."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = next((line for line in lines if line.startswith("flags")), "")
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, platform.processor())
    bf16 = "+".join(flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags)
    return f"{platform.machine()} {name} {bf16} x{os.cpu_count()} torch {version('torch')}"


def choose_precision(folder: Path, fingerprint: str, cache: VectorCache) -> Precision:
    """The faster of fp32 and bf16 whose vectors keep a cosine of 0.998 to fp32; measured once per machine."""
    key = f"{machine()} {fingerprint}"
    known = cache.facts("precision").get(key)
    if known in ("fp32", "bf16"):
        return known  # type: ignore[return-value]
    seconds: dict[Precision, float] = {}
    vectors: dict[Precision, Vectors] = {}
    for precision, batch in BATCH.items():
        model = load_model(folder, precision)
        encode(model, SAMPLE[:8], 8)  # the first batch pays for set-up
        best = float("inf")
        for _ in range(2):
            start = time.perf_counter()
            vectors[precision] = encode(model, SAMPLE, batch)
            best = min(best, time.perf_counter() - start)
        seconds[precision] = best
    cosine = float((vectors["fp32"] * vectors["bf16"]).sum(axis=1).min())
    chosen: Precision = "bf16" if cosine >= MIN_COSINE and seconds["bf16"] < seconds["fp32"] else "fp32"
    cache.remember("precision", {key: chosen})
    return chosen
