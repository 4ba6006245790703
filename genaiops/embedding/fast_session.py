"""A question's vector without torch: the same weights as an ONNX graph, run by onnxruntime.

The graph is derived data, made once per machine by `fast_making` and kept in the state folder under a name that
says the weights, the engine and its version. It is opened only when every byte is the one that was written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import IntegrityError
from genaiops.files import sha256_of_file
from genaiops.records import digest_of

if TYPE_CHECKING:
    from genaiops.embedding.protocol import Vectors

FORMAT = 1  # of the folder and of the graph in it
SESSIONS = "sessions"  # folder beside the cache file
GRAPH, ABOUT = "model.onnx", "session.json"
TOKENIZER = "tokenizer.json"
MAX_TEXTS = 4  # more than a question or two are a corpus, which torch embeds in batches
_ERRORS_ONLY = 3  # of onnxruntime's log levels

_log = logging.getLogger(__name__)


def engine() -> str:
    """Name and version of the engine, for example `onnxruntime 1.31.1`; "" where it is not installed."""
    try:
        return f"onnxruntime {version('onnxruntime')}"
    except PackageNotFoundError:
        return ""


def session_folder(sessions: Path, fingerprint: str) -> Path:
    """Where the session of these weights and of the installed engine lies, or will lie, below `sessions`."""
    key = hashlib.sha256(f"{FORMAT} {engine()} {fingerprint}".encode()).hexdigest()
    return sessions / key[:32]


class FastSession:
    """Unit vectors of single texts on one thread, fp32."""

    def __init__(self, folder: Path, model: Path, fingerprint: str) -> None:
        """Open the session in `folder` of the model whose tokenizer lies in `model`.

        Raises IntegrityError when a file is missing, added or changed, or made for other weights.
        """
        about = _checked_about(folder, fingerprint)
        import numpy
        import onnxruntime
        from tokenizers import Tokenizer

        self._numpy = numpy
        self.engine = str(about["engine"])
        self._tokenizer = Tokenizer.from_file(str(model / TOKENIZER))
        self._tokenizer.enable_truncation(int(about["max_tokens"]))
        self._tokenizer.no_padding()
        onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
        options = onnxruntime.SessionOptions()
        # A question is too short to share: more threads only get in each other's way.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes differ from version to version
            raise IntegrityError(f"onnxruntime cannot open the session: {error}", where=folder) from None

    def token_ids(self, text: str) -> list[int]:
        """What the model reads of `text`, special tokens included."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 `[len(texts), dimension]`. Each text by itself: its vector does not depend on the others."""
        vectors: Vectors = self._numpy.concatenate([self._vector(text) for text in texts])
        return vectors

    def _vector(self, text: str) -> Vectors:
        ids = self._numpy.array([self.token_ids(text)], dtype=self._numpy.int64)
        vector: Vectors = self._session.run(None, {"input_ids": ids})[0]
        return vector


def open_session(sessions: Path, model: Path, fingerprint: str) -> FastSession | None:
    """The session of these weights, None where there is none to be trusted; a damaged one is told in the log."""
    folder = session_folder(sessions, fingerprint)
    if not engine() or not folder.is_dir():
        return None
    try:
        return FastSession(folder, model, fingerprint)
    except (IntegrityError, ImportError) as error:
        _log.warning("%s: the fast session is not usable (%s); going on without it", folder, error)
        return None


def write_about(folder: Path, about: dict[str, Any]) -> None:
    """Seal a session folder: what it is, the sha256 of every file in it, and a digest over both."""
    files = {path.name: sha256_of_file(path) for path in sorted(folder.iterdir())}
    data = {"format": FORMAT, **about, "files": files}
    (folder / ABOUT).write_text(json.dumps({**data, "digest": digest_of(data)}, indent=1), encoding="utf-8")


def _checked_about(folder: Path, fingerprint: str) -> dict[str, Any]:
    """What `write_about` wrote, after every file was compared with it. Raises IntegrityError."""
    try:
        data: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        told = data.pop("digest")
        if digest_of(data) != told or data["format"] != FORMAT:
            raise ValueError("its digest is another")
        files: dict[str, str] = data["files"]
        if data["fingerprint"] != fingerprint:
            raise ValueError("it was made of other weights")
        if sorted(os.listdir(folder)) != sorted([ABOUT, *files]):
            raise ValueError("a file is missing or added")
        changed = [name for name in files if sha256_of_file(folder / name) != files[name]]
        if changed:
            raise ValueError(f"{changed[0]} is not what was written")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IntegrityError(f"the fast session is damaged: {error}", where=folder) from None
    return data
