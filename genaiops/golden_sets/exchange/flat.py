"""Formats whose rows are columns: ragas, DeepEval, the Azure evaluators, CSV."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from genaiops.golden_sets.exchange.items import OWN, Fields, Item, Losses, from_own, own
from genaiops.golden_sets.exchange.rows import read_rows, texts_in, write_csv
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.tables import EXPORTED
from genaiops.records import Case, Evidence

QUESTION = ("question", "user_input", "input", "query", "prompt", "user_question")
REFERENCE = ("reference", "ground_truth", "ground_truths", "truth", "expected_output", "expected_answer", "expected")
_CITED = re.compile(r"\s*\[([^\[\]\s]{1,200}\.[A-Za-z]{2,5}(?:#[\w=&-]{1,40})?)\]")


def read_ragas(path: Path, losses: Losses) -> list[Item]:
    """Samples of ragas (`user_input`, `reference`, `reference_contexts`), and of versions before 0.2 (`question`)."""
    items = []
    for row in read_rows(path):
        fields = Fields(row)
        question, reference = fields.text("user_input", "question"), " ".join(fields.texts(*REFERENCE))
        contexts, documents = fields.texts("reference_contexts"), fields.texts("reference_context_ids")
        items.append(Item(question, reference=reference, contexts=contexts, documents=documents))
        fields.lose_rest(losses)
    return items


def write_ragas(golden: GoldenSet, losses: Losses) -> str:
    """JSON lines that `EvaluationDataset.from_jsonl` reads."""
    rows = []
    for case in golden:
        row: dict[str, Any] = {"user_input": case.question}
        if case.reference:
            row["reference"] = case.reference
        if case.evidence:
            row["reference_contexts"] = [item.quote for item in case.evidence]
            row["reference_context_ids"] = [item.document for item in case.evidence]
        rows.append(row)
        _lose(case, losses, "id", "kind", "tags", "forbidden")
    return lines(rows)


def read_deepeval(path: Path, losses: Losses) -> list[Item]:
    """Goldens of DeepEval (`input`, `expected_output`, `context`), in its snake case and its camel case."""
    items = []
    for row in read_rows(path):
        fields = Fields(row)
        question, reference = fields.text("input"), fields.text("expected_output", "expectedOutput")
        contexts, source = fields.texts("context"), fields.text("source_file", "sourceFile")
        metadata = fields.value("additional_metadata", "additionalMetadata")
        mine = from_own(metadata.get(OWN), question, reference) if isinstance(metadata, dict) else None
        if metadata and mine is None:
            losses["column 'additional_metadata'"] += 1
        name, documents = fields.text("name"), (source,) * len(contexts) if source else ()
        items.append(mine or Item(question, name, "", reference, contexts, documents))
        fields.lose_rest(losses)
    return items


def write_deepeval(golden: GoldenSet, losses: Losses) -> str:
    """A JSON file that `EvaluationDataset.add_goldens_from_json_file` reads; nothing is lost."""
    rows = []
    for case in golden:
        row: dict[str, Any] = {"input": case.question, "actual_output": None}
        row["expected_output"] = case.reference or None
        row["context"] = [item.quote for item in case.evidence] or None
        row["source_file"] = case.evidence[0].document if len({e.document for e in case.evidence}) == 1 else None
        rows.append({**row, "name": case.id, "additional_metadata": {OWN: own(case)}})
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def read_azure(path: Path, losses: Losses) -> list[Item]:
    """Rows of the Azure evaluators (`query`, `ground_truth`, `context`), and of ai-rag-chat-evaluator (`truth`).

    Citations such as `[benefits.pdf#page=7]` are taken out of the answer and kept as tags `cites:…`.
    """
    items = []
    for row in read_rows(path):
        fields = Fields(row)
        question, answer = fields.text("query", "question"), fields.text("ground_truth", "truth")
        cited = tuple(dict.fromkeys(f"cites:{name}" for name in _CITED.findall(answer)))
        if cited:
            losses["citation in an answer (kept as a tag: it names a page and quotes nothing)"] += 1
            answer = _CITED.sub("", answer).strip()
        contexts = fields.texts("context")
        items.append(Item(question, fields.text("id"), "", answer, contexts, tags=cited))
        fields.lose_rest(losses)
    return items


def write_azure(golden: GoldenSet, losses: Losses) -> str:
    """JSON lines `{query, ground_truth, context}`; a response is the application's to add."""
    rows = []
    for case in golden:
        quotes = "\n\n".join(item.quote for item in case.evidence)
        rows.append({"query": case.question, "ground_truth": case.reference, "context": quotes})
        _lose(case, losses, "id", "kind", "tags", "forbidden")
        if case.evidence:
            losses["document ids of the quotes"] += 1
        if len(case.evidence) > 1:
            losses["where one quote ends and the next begins"] += 1
    return lines(rows)


def read_csv(path: Path, losses: Losses) -> list[Item]:
    """A table with our columns, or with those that other tools give a question, an answer and its contexts."""
    items = []
    for row in read_rows(path):
        fields = Fields({str(name).strip().lower().replace(" ", "_"): cell for name, cell in row.items()})
        question, reference = fields.text(*QUESTION), " ".join(fields.texts(*REFERENCE, "answer"))
        evidence = _evidence(fields.value("evidence"), losses)
        contexts = fields.texts("reference_contexts", "contexts", "context")
        tags = tuple(tag.strip() for tag in fields.text("tags").split(";") if tag.strip())
        name, kind = fields.text("id"), fields.text("kind")
        forbidden = _forbidden(fields.value("forbidden"))
        items.append(Item(question, name, kind, reference, contexts, (), evidence, tags, forbidden))
        fields.lose_rest(losses)
    return items


def write_table(golden: GoldenSet, losses: Losses) -> str:
    """A table for spreadsheets; evidence and forbidden texts are JSON, tags stand between semicolons."""
    rows = []
    for case in golden:
        if any(";" in tag for tag in case.tags):
            losses["semicolons in tags"] += 1
        evidence = json.dumps(own(case)["evidence"], ensure_ascii=False) if case.evidence else ""
        tags = "; ".join(tag.replace(";", ",") for tag in case.tags)
        forbidden = json.dumps(case.forbidden, ensure_ascii=False) if case.forbidden else ""
        values = (case.id, case.question, case.kind, case.reference, evidence, tags, forbidden)
        rows.append(dict(zip(EXPORTED, values, strict=True)))
    return write_csv(EXPORTED, rows)


def _evidence(cell: Any, losses: Losses) -> tuple[Evidence, ...]:
    if not cell:
        return ()
    try:
        rows = json.loads(cell) if isinstance(cell, str) else cell
        return tuple(Evidence(str(row["document"]), str(row["quote"])) for row in rows)
    except (ValueError, TypeError, KeyError, RecursionError):
        losses['evidence that is not JSON [{"document", "quote"}]'] += 1
        return ()


def _forbidden(cell: Any) -> tuple[str, ...]:
    """The texts of a JSON list, spaces kept; anything else in a cell is one text."""
    try:
        read = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        read = None
    return tuple(map(str, read)) if isinstance(read, list) else tuple(texts_in(cell))


_BREAKS = re.compile("[\x85\u2028\u2029]")


def lines(rows: list[dict[str, Any]]) -> str:
    """JSON lines; what some readers take for the end of a line is written as an escape."""
    said = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", said)


def _lose(case: Case, losses: Losses, *names: str) -> None:
    """Count what of a case the format has no place for."""
    for name in names:
        value = getattr(case, name)
        if value and value != "answerable":
            losses[name] += 1


__all__ = [
    "read_azure", "read_csv", "read_deepeval", "read_ragas", "texts_in", "write_azure", "write_deepeval",
    "write_ragas", "write_table",
]  # fmt: skip
