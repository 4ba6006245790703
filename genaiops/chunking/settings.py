"""`chunking:` of flow.yaml. Light: it is read by every command."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from pydantic import Field, model_validator

from genaiops.configuration import Settings
from genaiops.records import as_json, digest_of

Strategy = Literal["markdown", "recursive", "sentence", "fixed", "page", "parent_child", "semantic", "langchain"]

# Part of every chunk's settings digest: raise one when its strategy would cut a text elsewhere than before.
VERSIONS: dict[str, int] = {
    "markdown": 3, "recursive": 2, "sentence": 1, "fixed": 1, "page": 1, "parent_child": 1, "semantic": 1,
    "langchain": 1,
}  # fmt: skip
_PARENT = 3  # times the size of a chunk


class ChunkingSettings(Settings):
    """`size` is the most a chunk has, `overlap` the most it repeats of the one before it, both counted in `unit`.

    `parent_size` is for `parent_child` (default: three times `size`); `splitter` and `arguments` are for `langchain`.
    """

    strategy: Strategy = "markdown"
    size: int = Field(default=800, ge=10, le=20_000)
    overlap: int = Field(default=80, ge=0)
    unit: Literal["characters", "tokens"] = "characters"
    parent_size: int | None = Field(default=None, ge=20, le=100_000)
    splitter: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fit_together(self) -> ChunkingSettings:
        given = self.model_fields_set
        if self.unit == "tokens" and not {"size", "overlap"} <= given:
            raise ValueError("chunking.size and chunking.overlap must be given with unit: tokens, such as 200 and 20")
        if self.unit == "characters" and self.size < 50:
            raise ValueError(f"chunking.size must be at least 50 characters, got {self.size}")
        if self.overlap >= self.size:
            raise ValueError(f"chunking.overlap must be below size={self.size}, got {self.overlap}")
        if self.parent_size is not None:
            if self.strategy != "parent_child":
                raise ValueError(f"chunking.parent_size is for strategy: parent_child, not for {self.strategy}")
            if self.parent_size <= self.size:
                raise ValueError(f"chunking.parent_size must be above size={self.size}, got {self.parent_size}")
        if self.strategy == "langchain" and not self.splitter:
            raise ValueError("strategy: langchain needs chunking.splitter, such as RecursiveCharacterTextSplitter")
        if self.strategy != "langchain" and (self.splitter or self.arguments):
            raise ValueError(f"chunking.splitter and arguments are for strategy: langchain, not for {self.strategy}")
        return self

    @property
    def parent(self) -> int:
        """The most a parent has."""
        return self.parent_size or _PARENT * self.size

    @property
    def digest(self) -> str:
        """What chunk ids carry: the settings in force and the version of the strategy, and of the library it runs."""
        optional = ("unit", "parent_size", "splitter", "arguments")
        fields = type(self).model_fields
        defaults = {
            name for name in optional if getattr(self, name) == fields[name].get_default(call_default_factory=True)
        }
        given = {name: value for name, value in as_json(self).items() if name not in defaults}
        versions: list[int | str] = [VERSIONS[self.strategy]]
        if self.strategy == "langchain":
            with suppress(PackageNotFoundError):  # chunking says what is missing
                versions.append(version("langchain-text-splitters"))
        return digest_of([given, *versions])
