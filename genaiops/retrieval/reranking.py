"""A cross-encoder reads the question and a chunk together and says how well they fit."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genaiops.embedding.weights import fingerprint, locate
from genaiops.errors import ConfigurationError, IntegrityError
from genaiops.retrieval.settings import RerankSettings, RetrievalSettings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16
_MOST_TOKENS = 512


class Reranker(Protocol):
    """Scores chunks for a question; a higher score fits better."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]: ...


class CrossEncoderReranker:
    """A local sentence-transformers cross-encoder, offline, safetensors only, loaded at the first question."""

    def __init__(self, settings: RerankSettings, base: Path | None = None) -> None:
        """Raises ConfigurationError when the model is not on this machine, IntegrityError when it is another one."""
        self.folder = locate_model(settings.model, base)
        self.digest = fingerprint(self.folder)
        if settings.digest and settings.digest != self.digest:
            raise IntegrityError(
                f"the reranking model has digest {self.digest[:12]}, {settings.digest[:12]} was measured",
                where=self.folder,
                remedy="put the model back, or evaluate the flow again: genaiops evaluate FLOW",
            )
        self._lock = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score per text, in their order; with the model's own activation, mostly from 0 to 1."""
        if not texts:
            return []
        with self._lock:  # the tokenizer of a model is not made for two threads
            pairs = [(question, text) for text in texts]
            found = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)
        return [float(score) for score in found]

    @cached_property
    def _model(self) -> CrossEncoder:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # see embedding.sentence_transformer
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        model = CrossEncoder(
            str(self.folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
            max_length=min(_MOST_TOKENS, _positions(self.folder)),
        )
        if model.num_labels != 1:
            raise ConfigurationError(
                f"a reranker gives one score, this model gives {model.num_labels}", where=self.folder
            )
        return model


def locate_model(model: str, base: Path | None = None) -> Path:
    """The folder of a cross-encoder: local (relative to `base`) or in the hub cache. Never downloads.

    ConfigurationError when it is nowhere, or asks for code of its own.
    """
    try:
        folder = locate(model, base)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the reranking model {model!r} cannot be used: {error.what}",
            where=error.where or None,
            remedy="put a folder with its model.safetensors there: retrieval: {rerank: {model: FOLDER}}",
        ) from None
    if "auto_map" in _configuration(folder):
        raise ConfigurationError("the model asks for code of its own, which is never run", where=folder / "config.json")
    return folder


def _configuration(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the model's configuration cannot be read: {error}", where=path) from None
    return config


def _positions(folder: Path) -> int:
    """Tokens that the model has positions for."""
    told = _configuration(folder).get("max_position_embeddings")
    return told if isinstance(told, int) and told > 0 else _MOST_TOKENS


def pinned(settings: RetrievalSettings, base: Path) -> RetrievalSettings:
    """The same settings with the reranking model's whole path and its digest, so that they hold without `base`."""
    if settings.rerank is None:
        return settings
    reranker = CrossEncoderReranker(settings.rerank, base)
    local = any(
        (folder / "config.json").is_file() for folder in (Path(settings.rerank.model), base / settings.rerank.model)
    )
    place = str(reranker.folder) if local else settings.rerank.model
    return settings.model_copy(
        update={"rerank": settings.rerank.model_copy(update={"model": place, "digest": reranker.digest})}
    )
