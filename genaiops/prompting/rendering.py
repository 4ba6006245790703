"""Fills a prompt's messages in a sandbox. Values are data: they are never templates and never make messages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.records import Hit, Message, Prompt

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES = ("question", "context")  # what the flow can fill
# What a prompt needs and no more: `map`, `attr`, `format` and friends are ways out of a sandbox or into a loop, and
# `replace` and `indent` make a gigabyte out of a line.
_FILTERS = ("trim", "upper", "lower", "title", "default", "truncate", "length", "tojson", "wordcount")
_MAX_RENDERED = 1_000_000  # characters


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters = {name: _bounded(environment.filters[name]) for name in _FILTERS}
    environment.globals = {}
    return environment


def _bounded(work: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result may be no longer than a message: `tojson` doubles every backslash each time it is used."""

    @wraps(work)  # keeps the marks by which Jinja2 knows what to pass
    def filtered(*args: Any, **options: Any) -> Any:
        result = work(*args, **options)
        if isinstance(result, str):
            _check_length(len(result))
        return result

    return filtered


def _check_length(characters: int) -> None:
    if characters > _MAX_RENDERED:
        raise ConfigurationError(f"a rendered message may have {_MAX_RENDERED:,} characters, this one has more")


class _Refused(Exception):
    """What a template may not hold, and on which of its lines (from 1)."""

    def __init__(self, what: str, line: int, remedy: str = "") -> None:
        super().__init__(what)
        self.line = line
        self.remedy = remedy


def check_template(template: Sequence[Message], inputs: tuple[str, ...], *, path: Path, lines: Sequence[int]) -> None:
    """Raise ConfigurationError unless every message parses, has no loops or calls, and uses exactly `inputs`.

    `lines` says where in the file each message's text starts.
    """
    used: dict[str, int] = {}  # variable: the line of its first use
    for message, first_line in zip(template, lines, strict=True):
        try:
            found = _variables(message.content)
        except _Refused as no:
            line = first_line + no.line - 1
            raise ConfigurationError(str(no), where=path, line=line, remedy=no.remedy) from None
        for name, line in found.items():
            used.setdefault(name, first_line + line - 1)
    for name, line in used.items():
        if name not in inputs:
            what = f"prompt variable {name!r} is used but not declared in the inputs"
            raise ConfigurationError(what, where=path, line=line)
    for name in inputs:
        if name not in used:
            what = f"prompt variable {name!r} is declared but not used"
            raise ConfigurationError(what, where=path, line=min(lines, default=1))
    for message, first_line in zip(template, lines, strict=True):
        try:  # an operation that fails on text fails for every question
            _filled(message.content, dict.fromkeys(inputs, "text"))
        except ConfigurationError as error:
            raise ConfigurationError(error.what, where=path, line=first_line) from None


def _variables(text: str) -> dict[str, int]:
    """The variables of one message with the line (from 1) of their first use. Raises _Refused."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        raise _Refused(f"template error: {error.message}", error.lineno) from None
    except RecursionError:
        raise _Refused("template error: nested too deeply", 1) from None
    # A prompt is text with values and conditions. Loops, macros, calls, attribute access, names for values
    # and '%' (which pads to any width) are what attacks and runaway renders are made of.
    banned = (
        nodes.For, nodes.Macro, nodes.Call, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport,
        nodes.Extends, nodes.Getattr, nodes.Getitem, nodes.Mul, nodes.Pow, nodes.Mod, nodes.Assign,
        nodes.AssignBlock, nodes.With, nodes.Block,
    )  # fmt: skip
    lines: dict[str, int] = {}
    for node in tree.find_all((nodes.Filter, nodes.Name, *banned)):
        if isinstance(node, nodes.Name):
            lines.setdefault(node.name, node.lineno)
        elif not isinstance(node, nodes.Filter):
            raise _Refused(f"a prompt may not use {type(node).__name__.lower()} in its template", node.lineno)
        elif node.name not in _FILTERS:
            allowed = f"filters are {', '.join(_FILTERS)}"
            raise _Refused(f"filter {node.name!r} is not allowed", node.lineno, allowed)
    return {name: lines.get(name, 1) for name in sorted(meta.find_undeclared_variables(tree))}


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    """A template that was checked, wherever its text came from: a file, a release, or a Prompt made by hand."""
    from jinja2 import TemplateError

    try:
        _variables(text)
        return _environment().from_string(text)
    except (_Refused, TemplateError, SyntaxError, RecursionError) as error:
        raise ConfigurationError(f"the prompt cannot be rendered: {error}") from None


def render(prompt: Prompt, values: Mapping[str, str]) -> tuple[Message, ...]:
    """The prompt's messages with exactly its declared inputs filled in.

    Number and roles of the messages are the prompt's, whatever the values hold. Raises
    ConfigurationError when a value is missing or one is given that the prompt does not know.
    """
    if set(values) != set(prompt.inputs):
        raise ConfigurationError(f"prompt {prompt.name!r} needs {sorted(prompt.inputs)}, got {sorted(values)}")
    return tuple(Message(message.role, _filled(message.content, values)) for message in prompt.template)


def _filled(template: str, values: Mapping[str, str]) -> str:
    pieces: list[str] = []
    total = 0
    try:
        for piece in _compiled(template).generate(dict(values)):
            total += len(piece)
            _check_length(total)  # before the next piece, so that a runaway ends early
            pieces.append(piece)
    except ConfigurationError:
        raise
    except Exception as error:  # whatever an expression does wrong is a mistake in the prompt
        raise ConfigurationError(f"the prompt cannot be rendered: {error}") from None
    return "".join(pieces)


def context_of(hits: Sequence[Hit], *, nonce: str = "") -> str:
    """The hits as numbered passages inside markers that carry a fresh nonce, so no passage can close them itself.

    Passage n belongs to citation marker [n].
    """
    nonce = nonce or secrets.token_hex(8)
    return "\n\n".join(
        f"<passage number={n} document={hit.chunk.document_id!r} id={nonce}>\n{hit.chunk.text}\n</passage id={nonce}>"
        for n, hit in enumerate(hits, start=1)
    )
