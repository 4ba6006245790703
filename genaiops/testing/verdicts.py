"""What a well-behaved judging model would reply, so that evaluations with `llm:` measures can be tested offline."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"^token: (\S+)$", re.MULTILINE)
_WORDS_QUOTED = 6


def scripted_verdict(body: Mapping[str, Any], **changes: Any) -> str:
    """The verdict on the case in a request's JSON, for ScriptedModelServer(replies=scripted_verdict).

    Every sentence of the answer is supported by the opening words of the first context that has any, every mark
    is 4. `changes` replace keys: `relevance=1`, `claims=[…]`. Text that asks for no verdict raises ValueError.
    """
    text = str(body["messages"][-1]["content"])
    found = _TOKEN.search(text)
    if found is None:
        raise ValueError("this request asks for no verdict")
    parts = fenced_parts(text, found[1])
    number, quote = next(
        ((int(name.split()[1]), " ".join(content.split()[:_WORDS_QUOTED])) for name, content in parts.items()
         if name.startswith("context ") and content.strip()),
        (0, ""),
    )  # fmt: skip
    verdict = "supported" if quote else "unsupported"
    claims = [
        {"sentence": sentence, "verdict": verdict, "context": number, "quote": quote}
        for sentence in range(1, len(parts.get("answer", "").splitlines()) + 1)
    ]
    marks = {"relevance": 4, "completeness": 4 if "expected" in parts else None, "utilization": 4}
    return json.dumps({"token": found[1], "claims": claims, **marks, **changes})


def fenced_parts(text: str, token: str) -> dict[str, str]:
    """Name → content of what stands between `[token name]` and `[/token name]`."""
    fence = re.escape(token)
    pattern = re.compile(rf"^\[{fence} ([^\]\n]+)\]\n(.*?)\n\[/{fence} \1\]$", re.MULTILINE | re.DOTALL)
    return {found[1]: found[2] for found in pattern.finditer(text)}
