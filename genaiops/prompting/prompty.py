"""Reads `.prompty` files: YAML front matter, then messages under `system:`, `user:`, `assistant:`.

Both the first form (`inputs`, `model.parameters`, `template: jinja2`) and the second
(`inputSchema.properties`, `model.options`, `template.format.kind`) are read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from genaiops.configuration import YamlFile, parse_yaml, read_text
from genaiops.errors import ConfigurationError
from genaiops.files import check_name
from genaiops.prompting.rendering import VARIABLES, check_template
from genaiops.records import Message, Prompt

SUFFIX = ".prompty"
_ROLE = re.compile(r"^(system|user|assistant):[ \t]*$", re.MULTILINE)
_KNOWN_KEYS = {
    "name", "displayName", "description", "metadata", "authors", "tags", "version", "model", "inputs", "inputSchema",
    "outputs", "outputSchema", "tools", "template", "sample", "$schema", "kind",
}  # fmt: skip


def list_prompts(folder: Path) -> list[str]:
    """Names of the variants in a `prompts/` folder, sorted."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))


def load_prompt(path: Path) -> Prompt:
    """Read one variant. The prompt's name is the file's stem.

    Raises ConfigurationError with file and line for anything that could not be rendered later:
    broken front matter, no messages, a template error, a variable that nobody fills.
    """
    text = read_text(path, "prompt").replace("\r\n", "\n").removeprefix("\ufeff")
    head, body, body_line = _split(text, path)
    unknown = sorted(set(head.data) - _KNOWN_KEYS)
    if unknown:
        raise ConfigurationError(f"unknown key {unknown[0]!r}", where=path, line=head.line((unknown[0],)))
    _check_format(head)
    template, lines = _messages(body, path, body_line)
    inputs = _inputs(head)
    check_template(template, inputs, path=path, lines=lines)
    return Prompt(
        name=check_name(path.name.removesuffix(SUFFIX), "prompt"),
        template=template,
        inputs=inputs,
        options=_options(head),
        description=str(head.data.get("description", "")),
    )


def _split(text: str, path: Path) -> tuple[YamlFile, str, int]:
    """Front matter, body, and the line where the body starts."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        raise ConfigurationError("a prompt file starts with front matter between two lines of ---", where=path, line=1)
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        raise ConfigurationError("the front matter is not closed by a line of ---", where=path, line=1)
    head = parse_yaml("\n".join(lines[1:end]), path, first_line=2)
    return head, "\n".join(lines[end + 1 :]), end + 2


def _messages(body: str, path: Path, first_line: int) -> tuple[tuple[Message, ...], list[int]]:
    """Cut the body at its role lines, and say on which line each message's text starts.

    This happens before any value is filled in, so no value can add a role.
    """
    found = list(_ROLE.finditer(body))
    if not found or body[: found[0].start()].strip():
        raise ConfigurationError(
            "the text after the front matter must start with a line 'system:', 'user:' or 'assistant:'",
            where=path,
            line=first_line,
        )
    ends = [match.start() for match in found[1:]] + [len(body)]
    messages, lines = [], []
    for match, end in zip(found, ends, strict=True):
        text = body[match.end() : end]
        messages.append(Message(_role(match.group(1)), text.strip()))
        start = match.end() + len(text) - len(text.lstrip())
        lines.append(first_line + body.count("\n", 0, start))
    if not any(message.role == "user" for message in messages):
        raise ConfigurationError("there is no 'user:' message", where=path, line=first_line)
    return tuple(messages), lines


def _role(name: str) -> Literal["system", "user", "assistant"]:
    return "system" if name == "system" else "user" if name == "user" else "assistant"


def _inputs(head: YamlFile) -> tuple[str, ...]:
    """Declared variable names, in order, from any of the forms in use."""
    schema = head.data.get("inputSchema")
    key, value = (
        ("inputSchema", schema.get("properties")) if isinstance(schema, dict) else ("inputs", head.data.get("inputs"))
    )
    if isinstance(value, dict):
        names = [str(name) for name in value]
    elif isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in value
    ):
        names = [item["name"] for item in value]
    else:
        raise ConfigurationError(
            "the prompt declares no inputs",
            where=head.path,
            line=head.line((key,)) or 1,
            remedy="inputs: [{name: question, kind: string}, {name: context, kind: string}]",
        )
    foreign = [name for name in names if name not in VARIABLES]
    if foreign:
        raise ConfigurationError(
            f"nobody fills the input {foreign[0]!r}; a prompt may ask for {' and '.join(VARIABLES)}",
            where=head.path,
            line=head.line((key,)) or 1,
        )
    return tuple(dict.fromkeys(names))


def _options(head: YamlFile) -> dict[str, Any]:
    """`model.options` (second form) or `model.parameters` (first), with `additionalProperties` spread out."""
    model = head.data.get("model")
    if not isinstance(model, dict):
        return {}
    options = model.get("options", model.get("parameters", {}))
    if not isinstance(options, dict):
        raise ConfigurationError("model.options must be keys and values", where=head.path, line=head.line(("model",)))
    merged = {key: value for key, value in options.items() if key != "additionalProperties"}
    return {**merged, **(options.get("additionalProperties") or {})}


def _check_format(head: YamlFile) -> None:
    """Only Jinja2 is rendered here; another format is refused, not misread."""
    template = head.data.get("template", "jinja2")
    declared = template.get("format", "jinja2") if isinstance(template, dict) else template
    kind = declared.get("kind") if isinstance(declared, dict) else declared
    if kind != "jinja2":
        raise ConfigurationError(
            f"template format {kind!r} is not supported",
            where=head.path,
            line=head.line(("template",)),
            remedy="use jinja2",
        )
