"""Makes the fast session: torch writes the graph, onnxruntime opens it, and both are compared on a sample."""

from __future__ import annotations

import importlib.util
import logging
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genaiops.embedding.fast_session import (
    GRAPH,
    TOKENIZER,
    FastSession,
    engine,
    session_folder,
    write_about,
)
from genaiops.embedding.sample import SAMPLE
from genaiops.errors import GenaiopsError
from genaiops.files import discard, published_folder, remove_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentence_transformers import SentenceTransformer

MIN_COSINE = 0.999  # of the session's vectors to torch's fp32 vectors of the same texts
_NEEDED = ("onnxruntime", "onnx", "onnxscript")
_TRACED_TOKENS = 16  # length of the text the graph is traced with; any but 0 and 1 gives the same graph
_BATCH = 8
# Beside SAMPLE: nothing, white space, other scripts, odd characters, more than any model reads.
_ODD = (
    "",
    " \n\t ",
    "Zwei Tassen gehören dazu: 水壺 ☕ e\u0301",
    "\u200bZERO\u00a0width\ufeff",
    "[SEP] [MASK] x",
    "a b " * 4000,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A session that was made: where, with which engine, its least cosine to torch, and the seconds it took."""

    folder: Path
    engine: str
    cosine: float
    seconds: float


class Refused(GenaiopsError):
    """No fast session can be made of this model on this machine; torch goes on embedding its questions."""


def make_session(sessions: Path, model: Path, fingerprint: str, torch_model: SentenceTransformer | None = None) -> Made:
    """Make, check and publish the session of the model folder `model` under `sessions`; replaces a damaged one.

    Published with a rename after its vectors kept a cosine of 0.999 to torch in fp32 and its token ids were
    sentence-transformers' own, on 30 texts. Raises Refused, with the reason, otherwise. `torch_model` is the model
    in fp32 where it is loaded already.
    """
    start = time.perf_counter()
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise Refused(f"{', '.join(absent)} not installed", remedy=f"pip install {' '.join(absent)}")
    from genaiops.embedding.sentence_transformer import load_model

    torch_model = torch_model or load_model(model, "fp32")
    max_tokens = _max_tokens(torch_model, model)
    final = session_folder(sessions, fingerprint)
    remove_leftovers(sessions)
    if final.exists():  # what could be opened is not made again, so this one is damaged
        discard(final)
    with published_folder(final) as aside:
        _export(torch_model, aside / GRAPH, max_tokens)
        about = {"engine": engine(), "fingerprint": fingerprint, "max_tokens": max_tokens}
        write_about(aside, about)
        cosine = _compared(torch_model, FastSession(aside, model, fingerprint))
    _discard_older(sessions, final, fingerprint)
    return Made(final, engine(), cosine, time.perf_counter() - start)


def _max_tokens(torch_model: SentenceTransformer, model: Path) -> int:
    """How many tokens the model reads. Raises Refused for a model whose questions need more than a graph."""
    if not (model / TOKENIZER).is_file() or getattr(torch_model[0], "auto_model", None) is None:
        raise Refused(f"the model is no transformer with a {TOKENIZER}", where=model)
    if torch_model.default_prompt_name is not None:
        raise Refused("the model puts a prompt before every text", where=model)
    if not isinstance(torch_model.max_seq_length, int):
        raise Refused("the model does not say how many tokens it reads", where=model)
    return int(torch_model.max_seq_length)


def _export(torch_model: SentenceTransformer, graph: Path, max_tokens: int) -> None:
    """Write transformer, pooling, later modules and normalisation as one graph: `input_ids` `[1, n]` → `[1, dim]`."""
    import torch

    class Whole(torch.nn.Module):  # type: ignore[misc]  # torch's types are not followed
        def __init__(self) -> None:
            super().__init__()
            self.parts = torch_model

        def forward(self, input_ids: Any) -> Any:
            # One text has no padding, so there is no mask to give, and none to compute with.
            features = {"token_embeddings": self.parts[0].auto_model(input_ids=input_ids).last_hidden_state}
            for number in range(1, len(self.parts)):
                features = self.parts[number](features)
            return torch.nn.functional.normalize(features["sentence_embedding"], p=2, dim=1)

    tokens = torch.export.Dim("tokens", min=2, max=max_tokens)
    try:
        with _quiet():
            torch.onnx.export(
                Whole().eval(),
                (torch.ones(1, min(_TRACED_TOKENS, max_tokens), dtype=torch.long),),
                str(graph),
                input_names=["input_ids"],
                output_names=["vector"],
                dynamic_shapes=({1: tokens},),
                dynamo=True,
                # The numbers in a file of their own are mapped into memory, not parsed and copied.
                external_data=True,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter says of a model it does not know
        raise Refused(f"torch cannot write this model as a graph: {type(error).__name__}: {error}") from None


def _compared(torch_model: SentenceTransformer, session: FastSession) -> float:
    """The least cosine between both on the sample. Raises Refused when it, or a text's tokens, differ too much."""
    from genaiops.embedding.sentence_transformer import encode

    texts = [*SAMPLE[::2], *_ODD]
    tokenize = getattr(torch_model, "preprocess", None) or torch_model.tokenize  # its name before version 6
    for text in texts:
        theirs = tokenize([text])["input_ids"][0].tolist()
        if session.token_ids(text) != theirs:
            raise Refused(f"its tokenizer reads {text[:40]!r} in another way than {TOKENIZER} says")
        if len(theirs) < 2:
            raise Refused("the tokenizer makes less than two tokens of an empty text")
    expected = encode(torch_model, texts, _BATCH)
    cosine = float((expected * session.embed(texts)).sum(axis=1, dtype=np.float64).min())
    if not cosine >= MIN_COSINE:  # also when it is no number
        raise Refused(f"its vectors differ from torch's: least cosine {cosine:.4f}, at least {MIN_COSINE} is asked")
    return cosine


def _discard_older(sessions: Path, final: Path, fingerprint: str) -> None:
    """Delete sessions of the same weights that another version of the engine or of ours made."""
    import json

    for about in sessions.glob("*/session.json"):
        try:
            same = json.loads(about.read_text(encoding="utf-8"))["fingerprint"] == fingerprint
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if same and about.parent != final:
            discard(about.parent)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells users about packages it could not find and about its own future."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
