"""F42: templates that want code, secrets or the whole machine, through every way a text can come in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from genaiops.errors import ConfigurationError
from genaiops.prompting import load_prompt, render
from genaiops.records import Message, Prompt
from tests.prompting import template_attacks
from tests.prompting.template_attacks import PAYLOADS

LEAK = re.compile(r"<class|<function|<module|<built-in|root:|uid=\d|0x[0-9a-f]{6}|__globals__'|environ\(")


def test_f42_there_are_hundreds_of_payloads() -> None:
    assert len(set(PAYLOADS)) > 200


def test_f42_a_file_with_such_a_template_is_refused_or_only_text(tmp_path: Path) -> None:
    path = tmp_path / "attack.prompty"
    head = "---\ninputs: [{name: question}, {name: context}]\n---\nuser:\n{{ question }} {{ context }}\n"
    harmless = []
    for payload in PAYLOADS:
        path.write_text(head + payload, encoding="utf-8")
        try:
            prompt = load_prompt(path)
        except ConfigurationError as error:
            assert error.where.startswith(f"{path}:"), payload
            continue
        said = render(prompt, {"question": "q", "context": "c"})[-1].content
        assert not LEAK.search(said)
        harmless.append(payload)
    # Text that looks like another engine's code, and a concatenation within the limit.
    assert len(harmless) < 5, harmless


def test_f42_a_value_is_never_rendered() -> None:
    prompt = Prompt("p", (Message("user", "{{ question }}"),), ("question",))
    for payload in PAYLOADS:
        assert render(prompt, {"question": payload})[0].content == payload


def test_f42_the_sandbox_holds_where_nothing_was_checked() -> None:
    done = subprocess.run(
        [sys.executable, "-m", template_attacks.__name__], capture_output=True, text=True, timeout=120, check=True
    )
    results = json.loads(done.stdout)
    assert len(results) == len(PAYLOADS)
    for payload, result in zip(PAYLOADS, results, strict=True):
        assert result["events"] == [], payload
        assert not LEAK.search(result["said"]), payload
        assert result["seconds"] < 2, payload
