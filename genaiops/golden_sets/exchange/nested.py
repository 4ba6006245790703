"""Formats whose rows hold inputs and outputs: MLflow datasets, LangSmith, promptfoo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaiops.errors import GoldenSetError
from genaiops.files import parse_yaml, read_text
from genaiops.golden_sets.exchange.flat import QUESTION, REFERENCE, lines
from genaiops.golden_sets.exchange.items import OWN, Fields, Item, Losses, from_own, own
from genaiops.golden_sets.exchange.rows import read_rows, text_in, texts_in
from genaiops.golden_sets.golden_set import GoldenSet

MAX_YAML_BYTES = 5_000_000


def read_mlflow(path: Path, losses: Losses) -> list[Item]:
    """Records of an MLflow dataset: `inputs`, `expectations` (a response, facts, retrieved contexts) and `tags`."""
    items = []
    for row in read_rows(path):
        fields = Fields(row)
        question = _question(_inner(fields, "inputs"), losses)
        expected = Fields(_inner(fields, "expectations"))
        reference = expected.text("expected_response")
        facts = expected.texts("expected_facts")
        if facts and not reference:
            losses["expected_facts (joined to one reference)"] += 1
            reference = " ".join(fact if fact.endswith((".", "!", "?")) else f"{fact}." for fact in facts)
        elif facts:
            losses["expected_facts beside an expected_response"] += 1
        retrieved = _objects(expected, "expected_retrieved_context", losses)
        pairs = [(text_in(item), item.get("doc_uri", "")) for item in retrieved]
        expected.lose_rest(losses)
        told = _inner(fields, "tags")
        mine = from_own(_json(told.get(OWN)), question, reference)
        tags = tuple(f"{name}:{value}" for name, value in told.items() if name != OWN)
        contexts, documents = tuple(c for c, _ in pairs if c), tuple(str(d) for c, d in pairs if c)
        items.append(
            mine or Item(question, fields.text("dataset_record_id"), "", reference, contexts, documents, (), tags)
        )
        fields.lose_rest(losses)
    return items


def write_mlflow(golden: GoldenSet, losses: Losses) -> str:
    """JSON lines of records that `EvaluationDataset.merge_records` takes; nothing is lost."""
    rows = []
    for case in golden:
        expectations: dict[str, Any] = {"expected_response": case.reference} if case.reference else {}
        if case.evidence:
            expectations["expected_retrieved_context"] = [
                {"doc_uri": item.document, "content": item.quote} for item in case.evidence
            ]
        tags = {OWN: json.dumps(own(case), ensure_ascii=False)}  # values of tags are texts
        rows.append({"inputs": {"question": case.question}, "expectations": expectations, "tags": tags})
    return lines(rows)


def read_langsmith(path: Path, losses: Losses) -> list[Item]:
    """Examples of a LangSmith dataset, as its export writes them: `inputs`, `outputs`, `metadata`."""
    items = []
    for row in read_rows(path):
        fields = Fields(row)
        question = _question(_inner(fields, "inputs"), losses)
        outputs = Fields(_inner(fields, "outputs"))
        reference = " ".join(outputs.texts("answer", "output", *REFERENCE, "response"))
        contexts = outputs.texts("contexts", "context")
        outputs.lose_rest(losses)
        metadata = _inner(fields, "metadata")
        mine = from_own(metadata.get(OWN), question, reference)
        tags = tuple(f"split:{name}" for name in texts_in(metadata.get("dataset_split")))
        for name in metadata:
            if name not in (OWN, "dataset_split"):
                losses[f"metadata {str(name)[:60]!r}"] += 1
        items.append(mine or Item(question, fields.text("id"), "", reference, contexts, tags=tags))
        fields.value(
            "created_at", "modified_at", "dataset_id", "source_run_id", "name"
        )  # of the store, not of the case
        fields.lose_rest(losses)
    return items


def write_langsmith(golden: GoldenSet, losses: Losses) -> str:
    """JSON lines for `Client.create_examples`; nothing is lost."""
    rows = []
    for case in golden:
        outputs = {"answer": case.reference} if case.reference else {}
        rows.append({"inputs": {"question": case.question}, "outputs": outputs, "metadata": {OWN: own(case)}})
    return lines(rows)


# --- promptfoo ------------------------------------------------------------------

_SAYS = ("factuality", "model-graded-factuality", "equals", "similar", "context-recall", "contains", "icontains")
_REFUSAL = "is-refusal"


def read_promptfoo(path: Path, losses: Losses) -> list[Item]:
    """The tests of a promptfoo configuration, or a file of tests alone. Files that it names are not opened."""
    text = read_text(path, "promptfoo file", max_bytes=MAX_YAML_BYTES)
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith(("#", "---"))), "")
    bare = first.startswith("-")  # a list, as promptfoo takes it; `tests:` goes on a line before the first
    file = parse_yaml(f"tests:\n{text}" if bare else text, path, first_line=0 if bare else 1)
    tests = file.data.get("tests")
    if not isinstance(tests, list):
        raise GoldenSetError("there is no list of tests here", where=path, remedy="give the file that holds the tests")
    return [_test(test, losses) for test in tests if isinstance(test, dict)]


def _test(test: dict[str, Any], losses: Losses) -> Item:
    fields = Fields(test)
    question = _question(_inner(fields, "vars"), losses)
    if question.startswith("file://"):
        losses["question taken from a file (left out)"] += 1
        question = ""
    said: dict[str, str] = {}
    for check in _objects(fields, "assert", losses):
        kind, value = str(check.get("type", "")), text_in(check.get("value"))
        if (kind in _SAYS or kind == _REFUSAL) and kind not in said:
            said[kind] = value
        else:
            losses[f"assert {kind[:40]!r}"] += 1
    reference = next((said[kind] for kind in _SAYS if kind in said), "")
    for kind in [kind for kind in _SAYS if kind in said and said[kind] != reference]:
        losses[f"assert {kind!r}"] += 1
    metadata = _inner(fields, "metadata")
    mine = from_own(metadata.get(OWN), question, reference)
    for name in metadata:
        if name != OWN:
            losses[f"metadata {str(name)[:60]!r}"] += 1
    name = re.sub(r"[^a-z0-9]+", "-", fields.text("description").lower()).strip("-")[:60]
    fields.lose_rest(losses)
    return mine or Item(question, name, "unanswerable" if _REFUSAL in said and not reference else "", reference)


def write_promptfoo(golden: GoldenSet, losses: Losses) -> str:
    """A YAML file of tests with the variable `question`; nothing is lost."""
    tests: list[dict[str, Any]] = []
    for case in golden:
        if case.reference:
            checks = [{"type": "factuality", "value": case.reference}]
        else:
            checks = [] if case.wants_answer else [{"type": _REFUSAL}]
        tests.append({
            "description": case.id, "vars": {"question": case.question},
            **({"assert": checks} if checks else {}), "metadata": {OWN: own(case)},
        })  # fmt: skip
    return "tests:\n" + "".join(f"  - {_yaml(test, 4)}" for test in tests)


def _yaml(value: Any, indent: int) -> str:
    """Block-style YAML. Texts are written as JSON writes them, which YAML reads as they are."""
    space = " " * indent
    if isinstance(value, dict) and value:
        return space.join(f"{key}:{_below(item, indent)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return space.join(f"- {_yaml(item, indent + 2)}" for item in value)
    return _scalar(value) + "\n"


def _below(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)) and value:
        return f"\n{' ' * (indent + 2)}{_yaml(value, indent + 2)}"
    return f" {_yaml(value, indent)}"


def _scalar(value: Any) -> str:
    # Line breaks other than \n, and what YAML takes for no text at all, are written as escapes.
    said = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in said)


# --- shared ---------------------------------------------------------------------


def _inner(fields: Fields, name: str) -> dict[str, Any]:
    """An object in a row; JSON in a cell of a CSV file counts."""
    value = fields.value(name)
    value = _json(value) if isinstance(value, str) else value
    return dict(value) if isinstance(value, Mapping) else {}


def _objects(fields: Fields, name: str, losses: Losses) -> list[Mapping[str, Any]]:
    """The objects of a list in a row; anything else in its place is lost."""
    value = fields.value(name)
    found = value if isinstance(value, list) else [] if value is None else [value]
    objects = [item for item in found if isinstance(item, Mapping)] if isinstance(value, list) else []
    if len(objects) < len(found):
        losses[f"{name} that is no list of objects"] += 1
    return objects


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def _question(inputs: dict[str, Any], losses: Losses) -> str:
    """The input that is called a question, or the only one; further ones are lost."""
    name = next((name for name in QUESTION if text_in(inputs.get(name))), "")
    name = name or (next(iter(inputs)) if len(inputs) == 1 and "messages" not in inputs else "")
    messages = inputs.get("messages")
    if not name and isinstance(messages, list):
        users = [m for m in messages if isinstance(m, Mapping) and m.get("role") == "user"]
        if len(messages) > 1:
            losses["messages of a conversation but the user's last"] += 1
        return text_in(users[-1]) if users else ""
    for other in inputs:
        if other != name:
            losses[f"input {str(other)[:60]!r}"] += 1
    return text_in(inputs.get(name))
