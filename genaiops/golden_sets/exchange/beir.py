"""BEIR: a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/*.tsv`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaiops.configuration import read_text
from genaiops.errors import GoldenSetError, NotFound
from genaiops.golden_sets.exchange.flat import lines
from genaiops.golden_sets.exchange.items import OWN, Item, Losses, from_own, own
from genaiops.golden_sets.exchange.rows import read_rows, text_in
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.json_lines import MAX_BYTES

SPLIT = "test"


def read_beir(path: Path, losses: Losses) -> list[Item]:
    """Queries with the texts of the documents that are judged relevant to them, in the split `test` or the only one."""
    if not path.is_dir():
        raise GoldenSetError("a BEIR set is a folder with queries.jsonl and qrels/", where=path)
    relevant = _qrels(path, losses)
    corpus = {str(row.get("_id")): text_in(row.get("text")) for row in read_rows(path / "corpus.jsonl")}
    items = []
    for row in read_rows(path / "queries.jsonl"):
        name, question = str(row.get("_id", "")), text_in(row.get("text"))
        documents = relevant.get(name, ())
        metadata = row.get("metadata")
        mine = None
        if isinstance(metadata, Mapping) and isinstance(metadata.get(OWN), Mapping):
            mine = from_own(metadata[OWN], question, text_in(metadata[OWN].get("reference")))
        elif metadata:
            losses["metadata of a query"] += 1
        if mine is None and not documents:
            losses["query without a relevant document (left out)"] += 1
            continue
        found = [document for document in documents if corpus.get(document)]
        items.append(mine or Item(question, name, "", "", tuple(corpus[d] for d in found), tuple(found)))
    return items


def write_beir(golden: GoldenSet, texts: Mapping[str, str], losses: Losses) -> dict[str, str]:
    """File name → content. A document is relevant (1) that a case quotes; all documents are the corpus."""
    qrels = ["query-id\tcorpus-id\tscore"]
    queries: list[dict[str, Any]] = []
    for case in golden:
        queries.append(
            {"_id": case.id, "text": case.question, "metadata": {OWN: {**own(case), "reference": case.reference}}}
        )
        for document in dict.fromkeys(item.document for item in case.evidence):
            if any(c in document + case.id for c in "\t\n\r"):
                losses["judgement of a document or case with a tab or line break in its id"] += 1
            else:
                qrels.append(f"{case.id}\t{document}\t1")
        if case.evidence:
            losses["quotes (in the queries' metadata, which BEIR does not read)"] += 1
        if case.reference:
            losses["reference (in the queries' metadata, which BEIR does not read)"] += 1
    corpus: list[dict[str, Any]] = [{"_id": name, "title": "", "text": text} for name, text in texts.items()]
    return {
        "corpus.jsonl": lines(corpus),
        "queries.jsonl": lines(queries),
        f"qrels/{SPLIT}.tsv": "\n".join(qrels) + "\n",
    }


def _qrels(path: Path, losses: Losses) -> dict[str, list[str]]:
    files = sorted((path / "qrels").glob("*.tsv"))
    if not files:
        raise NotFound("there is no qrels/*.tsv", where=path)
    chosen = next((file for file in files if file.stem == SPLIT), files[0])
    for other in files:
        if other != chosen:
            losses[f"judgements of the split {other.stem[:40]!r}"] += 1
    found: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(read_text(chosen, "judgements", max_bytes=MAX_BYTES).split("\n"), start=1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip() or (number == 1 and cells[-1] == "score"):
            continue
        try:
            query, document, score = cells
            if int(score) > 0:
                found[query].append(document)
            if int(score) > 1:
                losses["grade of a judgement above 1"] += 1
        except ValueError:
            raise GoldenSetError("expected query-id, corpus-id and a whole number", where=chosen, line=number) from None
    return found
