"""A judging model in a process of its own, for `benchmarks.judges.harness`: it counts what it is asked.

    python -m benchmarks.judges.scripted_judge SECONDS

Prints its base URL; for every line on stdin, prints `{"calls", "tokens"}` since the last one. It fills whatever JSON
schema a request carries, in `response_format` or in the prompt. Tokens are bytes / 4 of the messages, the schema and
the reply, counted alike for everybody.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from genaiops.testing import ScriptedModelServer, scripted_verdict

_SENTENCE = "It is descaled with vinegar and rinsed twice."
_BYTES_PER_TOKEN = 4
_LOCK = threading.Lock()
_COUNTED = {"calls": 0, "bytes": 0}


def reply(body: dict[str, Any]) -> str:
    """A plausible reply of the shape that is wanted."""
    text = _text(body)
    sent = len(text.encode()) + len(json.dumps(body.get("response_format") or {}))
    try:
        made = scripted_verdict(body)
    except ValueError:
        schema = _schema(body, text)
        made = json.dumps(_filled(schema, schema) if schema else {"result": "yes", "rationale": _SENTENCE})
    with _LOCK:
        _COUNTED["calls"] += 1
        _COUNTED["bytes"] += sent + len(made.encode())
    return made


def _text(body: dict[str, Any]) -> str:
    parts = []
    for message in body.get("messages", []):
        content = message.get("content")
        parts.append(content if isinstance(content, str) else json.dumps(content))
    return "\n".join(parts)


def _schema(body: dict[str, Any], text: str) -> dict[str, Any]:
    """The JSON schema of a request; {} where there is none."""
    wanted = (body.get("response_format") or {}).get("json_schema")
    if wanted:
        return dict(wanted["schema"])
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except ValueError:
            end = at + 1
        else:
            if isinstance(found, dict) and "properties" in found:
                return found
        at = text.find("{", end)
    return {}


def _filled(shape: dict[str, Any], root: dict[str, Any], name: str = "") -> Any:
    if "$ref" in shape:
        return _filled(root["$defs"][shape["$ref"].rpartition("/")[2]], root, name)
    if "anyOf" in shape:
        return _filled(shape["anyOf"][0], root, name)
    if "enum" in shape:
        return shape["enum"][0]
    kind = shape.get("type")
    if kind == "object":
        return {key: _filled(inner, root, key) for key, inner in shape.get("properties", {}).items()}
    if kind == "array":
        return [_filled(shape["items"], root, name)] * 2
    return {"integer": 1, "number": 1.0, "boolean": True}.get(str(kind), "yes" if name == "result" else _SENTENCE)


def main() -> None:
    with ScriptedModelServer(reply, latency_s=float(sys.argv[1])) as server:
        print(server.base_url, flush=True)
        for _ in sys.stdin:
            with _LOCK:
                told = {"calls": _COUNTED["calls"], "tokens": _COUNTED["bytes"] / _BYTES_PER_TOKEN}
                _COUNTED.update(calls=0, bytes=0)
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
