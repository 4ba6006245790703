"""Fills a prompt's messages in a sandbox. Values are data: they are never templates and never make messages."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError
from genaiops.records import Hit, Message, Prompt

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES = ("question", "context")  # what the flow can fill
# What a prompt needs and no more: `map`, `attr`, `format` and friends are ways out of a sandbox or into a loop.
_FILTERS = (
    "trim",
    "upper",
    "lower",
    "title",
    "replace",
    "default",
    "indent",
    "truncate",
    "length",
    "tojson",
    "wordcount",
)
_MAX_RENDERED = 1_000_000  # characters


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.globals = {}
    return environment


def check_template(template: Sequence[Message], inputs: tuple[str, ...], *, path: Path, first_line: int) -> None:
    """Raise ConfigurationError unless every message parses, has no loops or calls, and uses exactly `inputs`."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    used: set[str] = set()
    for message in template:
        try:
            tree = _environment().parse(message.content)
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"template error: {error.message}", where=path, line=first_line) from None
        # A prompt is text with values and conditions. Loops, macros, calls and attribute access are what attacks
        # and runaway renders are made of.
        banned = (
            nodes.For, nodes.Macro, nodes.Call, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport,
            nodes.Extends, nodes.Getattr, nodes.Getitem, nodes.Mul, nodes.Pow, nodes.Assign, nodes.AssignBlock,
        )  # fmt: skip
        found = next(tree.find_all(banned), None)
        if found is not None:
            raise ConfigurationError(
                f"a prompt may not use {type(found).__name__.lower()} in its template", where=path, line=first_line
            )
        unknown_filter = next((n.name for n in tree.find_all(nodes.Filter) if n.name not in _FILTERS), None)
        if unknown_filter is not None:
            raise ConfigurationError(f"filter {unknown_filter!r} is not allowed", where=path, line=first_line)
        used |= meta.find_undeclared_variables(tree)
    for name in sorted(used ^ set(inputs)):
        problem = "is used but not declared in the inputs" if name in used else "is declared but not used"
        raise ConfigurationError(f"prompt variable {name!r} {problem}", where=path, line=first_line)


def render(prompt: Prompt, values: Mapping[str, str]) -> tuple[Message, ...]:
    """The prompt's messages with exactly its declared inputs filled in.

    Number and roles of the messages are the prompt's, whatever the values hold. Raises
    ConfigurationError when a value is missing or one is given that the prompt does not know.
    """
    if set(values) != set(prompt.inputs):
        raise ConfigurationError(f"prompt {prompt.name!r} needs {sorted(prompt.inputs)}, got {sorted(values)}")
    return tuple(Message(message.role, _filled(message.content, values)) for message in prompt.template)


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = _environment().from_string(template).render(dict(values))
    if len(text) > _MAX_RENDERED:
        raise ConfigurationError(f"the rendered message has {len(text):,} characters, at most {_MAX_RENDERED:,} go")
    return text


def context_of(hits: Sequence[Hit], *, nonce: str = "") -> str:
    """The hits as numbered passages inside markers that carry a fresh nonce, so no passage can close them itself.

    Passage n belongs to citation marker [n].
    """
    nonce = nonce or secrets.token_hex(8)
    return "\n\n".join(
        f"<passage number={n} document={hit.chunk.document_id!r} id={nonce}>\n{hit.chunk.text}\n</passage id={nonce}>"
        for n, hit in enumerate(hits, start=1)
    )
