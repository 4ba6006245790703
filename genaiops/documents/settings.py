"""The `documents` section of flow.yaml: where documents are, and what reading them may cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from pydantic import Field, field_validator, model_serializer, model_validator

from genaiops.configuration import Settings, holds_secret
from genaiops.endpoints import credentials_in, is_jdbc, is_key, names_secret, secrets_in
from genaiops.sensitivity import Sensitivity

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
ENVIRONMENT = "env:"
_PASSWORD_OF_QUERY = re.compile(r"(?:^|[&;?{=])\s*(?:password|passwd|pwd|sslpassword)\s*=", re.IGNORECASE)
_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_LABELS = {"sensitivity", "access"}
# kind of source: what may be said of it besides labels
_KEYS: Mapping[str, frozenset[str]] = {
    "path": frozenset({"options"}),
    "web": frozenset({"allow_private", "timeout_s"}),
    "sql": frozenset({"query", "id", "text", "metadata", "modified", "name"}),
    "langchain": frozenset({"arguments", "name"}),
}


class SourceSettings(Settings):
    """One source: exactly one of `path`, `web`, `sql` and `langchain`, and what belongs to it.

    `path` is a file or folder relative to the flow, or an fsspec URL with `options` for its file system; its
    last parts may be a glob. `web` lists pages. `sql` is a SQLAlchemy URL; `query` gives rows with the columns
    `id`, `text`, `metadata` and `modified`. `langchain` is the full name of a loader's class, made with
    `arguments`. A value `env:NAME` is that environment variable, read when the source is. `sensitivity` and
    `access` label every document of the source.
    """

    path: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    web: tuple[str, ...] = ()
    allow_private: bool | tuple[str, ...] = False
    timeout_s: float = Field(default=30.0, gt=0, le=3600)
    sql: str = ""
    query: str = ""
    id: str = ""
    text: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    modified: str = ""
    langchain: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    name: str = Field(default="", pattern=r"^[\w.-]*$", max_length=64)
    sensitivity: Sensitivity = ""
    access: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, data: Any) -> Any:
        """A text stands for a path."""
        if isinstance(data, str):
            return {"path": data}
        if not isinstance(data, (Mapping, SourceSettings)):
            raise ValueError("must be a path, a URL or a mapping with path, web, sql or langchain")
        # What passes here counts as Python data, where a strict tuple is no list.
        return (
            {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
            if isinstance(data, Mapping)
            else data
        )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KEYS if kind in self.model_fields_set]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(_KEYS)}, has {', '.join(given) or 'none'}")
        foreign = sorted(self.model_fields_set - _LABELS - _KEYS[self.kind] - {self.kind})
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: not for a source of kind {self.kind!r}")
        if self.access is not None and not all(label.strip() for label in self.access):
            raise ValueError("access must not hold an empty label")
        _CHECKS[self.kind](self)
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, serialize: Any) -> Any:
        """A plain path stays the text it was; of the rest, what was given."""
        data = {key: value for key, value in serialize(self).items() if key in self.model_fields_set}
        return data["path"] if set(data) == {"path"} else data

    @property
    def kind(self) -> str:
        """`path`, `web`, `sql` or `langchain`."""
        return next(kind for kind in _KEYS if kind in self.model_fields_set)

    def __str__(self) -> str:
        """The source as flow.yaml names it; no form that is accepted can hold a credential."""
        return self.path or self.sql or self.langchain or f"web ({len(self.web)} pages)"


class DocumentSettings(Settings):
    """`documents` of flow.yaml.

    `include` and `exclude` are globs over paths relative to a source folder, of files and of object storage.
    `redact` names kinds of personal data to be taken out. Sizes are in bytes, times in seconds of wall clock,
    memory in MiB.
    """

    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    max_bytes: int = Field(default=100_000_000, ge=1)
    parse_timeout_s: float = Field(default=30.0, gt=0, le=3600)
    parse_memory_mb: int = Field(default=512, ge=128)

    @field_validator("include", "exclude", "redact")
    @classmethod
    def _not_blank(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        _no_blank(items)
        return items


def _no_blank(items: Iterable[str]) -> None:
    if any(not item.strip() or "\0" in item for item in items):
        raise ValueError("must not hold an empty text")


def _path(source: SourceSettings) -> None:
    _no_blank([source.path])
    if "::" in source.path and "://" in source.path:
        raise ValueError("chained URLs are not read; name the file system that holds the files")
    if not URL.match(source.path):
        if source.options:
            raise ValueError("options are for URLs of file systems; a local path has none")
        return
    _no_password(source.path)
    if source.path.lower().startswith(("http:", "https:")):
        raise ValueError("pages are listed one by one: {web: [URL, …]}")
    _no_secret(source.options, "options")


def _web(source: SourceSettings) -> None:
    if not source.web:
        raise ValueError("web must list at least one page")
    for url in source.web:
        if not url.lower().startswith(("http://", "https://")):
            raise ValueError(f"web takes http:// and https:// only, got {url[:80]!r}")
        _no_password(url)


def _sql(source: SourceSettings) -> None:
    missing = [key for key in ("sql", "query", "id", "text") if not getattr(source, key)]
    if missing:
        raise ValueError(f"a SQL source needs {', '.join(missing)}")
    _no_blank([source.id, *source.text, *source.metadata])
    if not source.sql.startswith(ENVIRONMENT):
        _no_password(source.sql)


def _langchain(source: SourceSettings) -> None:
    if not _CLASS.fullmatch(source.langchain):
        raise ValueError(f"langchain must be the full name of a class, module.Class, got {source.langchain[:80]!r}")
    _no_secret(source.arguments, "arguments")


_CHECKS = {"path": _path, "web": _web, "sql": _sql, "langchain": _langchain}


def _no_password(url: str) -> None:
    """Settings are shown, recorded and committed, so that no URL in them may hold a password."""
    if secrets_in(url) if is_jdbc(url) else credentials_in(url) is not None:
        raise holds_secret("holds credentials; put them into an environment variable and write env:NAME or options")
    try:
        query = urlsplit(url).query
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    # Decoded, because ODBC's whole connection string is one value of a query.
    if _PASSWORD_OF_QUERY.search(unquote_plus(query)) or any(is_key(value) for _, value in parse_qsl(query)):
        raise holds_secret("holds a password or a key; put the URL into an environment variable and write env:NAME")


def _no_secret(value: Any, where: str, name: str = "") -> None:
    """Refuse what looks like a secret by the name it stands under, or is an address with a password."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _no_secret(item, f"{where}.{key}", str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            _no_secret(item, where, name)
    elif isinstance(value, str) and not value.startswith(ENVIRONMENT):
        if names_secret(name) or is_key(value):
            raise holds_secret(f"{where} looks like a secret; put it into an environment variable: env:NAME")
        if URL.match(value) or is_jdbc(value):
            _no_password(value)
            if secrets_in(value):
                raise holds_secret(f"{where} holds a secret; put the whole URL into an environment variable: env:NAME")
