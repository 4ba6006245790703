"""chunks, search, ask: from an index to answers."""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, Set, note, print_json, progress, say

if TYPE_CHECKING:
    from genaiops.flow import Flow
    from genaiops.records import Hit, Query

Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="KEY=VALUE", help="Only chunks whose metadata has it; a YAML value. Repeatable."),
]
Access = Annotated[
    list[str] | None,
    typer.Option("--access", metavar="LABEL", help="A label of whoever asks (default: all of them). Repeatable."),
]


def register(app: Registry) -> None:
    for command in (chunks, search, ask):
        app.command()(command)


def chunks(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Print the index's chunks as JSON lines.

    Each with id, document_id, start, end, text, indexed_text and metadata.
    """
    from genaiops.flow import Flow
    from genaiops.records import as_json as plain

    rows = [{"id": chunk.id, **plain(chunk)} for chunk in Flow.load(flow, overrides=settings or ()).chunks()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print_json(row)


def search(  # noqa: PLR0913, PLR0917  one for each option
    flow: FlowFolder,
    queries: Annotated[Path, typer.Option("--queries", help="JSON lines {query_id, text}.")],
    k: Annotated[int, typer.Option("--k", min=1, max=10_000, help="Results per query.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Where the TREC run goes; default: stdout.")] = None,
    by: Annotated[str, typer.Option("--by", help="document (its best chunk) or chunk.")] = "document",
    where: Where = None,
    access: Access = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Search for many queries at once.

    Writes a TREC run: one line `query_id Q0 id rank score genaiops` per result.
    """
    from genaiops.errors import ConfigurationError
    from genaiops.files import write_durably
    from genaiops.flow import Flow

    if by not in ("document", "chunk"):
        raise ConfigurationError(f"--by is document or chunk, got {by!r}")
    rows = _queries(queries)
    opened = Flow.load(flow, overrides=settings or ())
    lines: list[str] = []
    with progress("searching", "queries") as shown:
        for done, (query_id, text) in enumerate(rows, start=1):
            for rank, (name, score) in enumerate(_ranked(opened, query_of(text, where, access), k, by), start=1):
                lines.append(f"{_token(query_id)} Q0 {_token(name)} {rank} {score:.6f} genaiops\n")
            shown(done, len(rows))
    if not lines:
        _say_why_nothing(where, access)
    if out is not None:
        write_durably(out, "".join(lines))
    if as_json:
        print_json({"queries": len(rows), "results": len(lines), "out": str(out) if out else None})
    elif out is None:
        print("".join(lines), end="")
    else:
        say(f"{len(lines)} results for {len(rows)} queries in {out}")


def _queries(path: Path) -> list[tuple[str, str]]:
    """(query_id, text) of each line. ConfigurationError names the lines of what is no query or comes twice."""
    from genaiops.errors import ConfigurationError
    from genaiops.golden_sets.json_lines import read_each

    found: dict[str, str] = {}

    def read(data: dict[str, object]) -> None:
        query_id, text = str(data.get("query_id", "")), data.get("text")
        if not isinstance(text, str) or not text.strip() or not query_id:
            raise ValueError("query_id and text are needed, and neither may be empty")
        if query_id in found:
            raise ValueError(f"query_id {query_id!r} stands twice")
        found[query_id] = text

    read_each(path, "file of queries", ConfigurationError, read, only=("query_id", "text"))
    if not found:
        raise ConfigurationError("there is no query in this file", where=path)
    return list(found.items())


def query_of(text: str, where: list[str] | None, access: list[str] | None) -> Query:
    """The query that the options make of a text. ConfigurationError names the option that cannot be read."""
    import yaml

    from genaiops.errors import ConfigurationError
    from genaiops.records import Query

    wanted: dict[str, object] = {}
    for option in where or ():
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise ConfigurationError(f"--where needs key=value, got {option!r}", remedy="--where product=aks")
        if key in wanted:
            raise ConfigurationError(
                f"--where {key} is given twice",
                remedy=f"any of several: --where '{key}=[a, b]'; a range: {{gte: 1, lt: 9}}",
            )
        try:
            read = yaml.safe_load(value) if value.strip() else ""
        except (yaml.YAMLError, ValueError, RecursionError):
            raise ConfigurationError(f"the value of --where {option!r} cannot be read") from None
        # A day stands as text in metadata, so 2024-05-01 means the text.
        wanted[key] = value if isinstance(read, datetime.date) else read
    return Query(text, where=wanted, access=tuple(access) if access else None)


def _ranked(flow: Flow, query: Query, k: int, by: str) -> list[tuple[str, float]]:
    """Names with scores, best first; by document, each with its best chunk."""
    if by == "chunk":
        return [(hit.chunk.id, hit.score) for hit in flow.search(query, k)]
    best: dict[str, float] = {}
    depth = 4 * k
    while True:
        hits: list[Hit] = flow.search(query, depth)
        best = {}
        for hit in hits:
            best.setdefault(hit.chunk.document_id, hit.score)
        # One document may fill the list with its chunks, so look deeper until k documents are found.
        if len(best) >= k or len(hits) < depth:
            return list(best.items())[:k]
        depth *= 4


def _say_why_nothing(where: list[str] | None, access: list[str] | None) -> None:
    if where or access:
        note(
            "no chunk was permitted: --where looks at `document` and at the metadata of chunks, into which a field of "
            "a document comes by enrichment: [{metadata: [FIELD]}]"
        )


def _token(name: str) -> str:
    """A name as one word of a TREC line: white space is percent-encoded."""
    return re.sub(r"\s", lambda match: f"%{ord(match.group()):02X}", name)


def ask(
    flow: FlowFolder,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    where: Where = None,
    access: Access = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Answer one question, with citations.

    Citations point at characters of documents.
    """
    from genaiops.flow import Flow

    opened, query = Flow.load(flow, overrides=settings or ()), query_of(question, where, access)
    _tell_of_a_slow_start(opened)
    answer = opened.ask(query)
    if not answer.hits:
        _say_why_nothing(where, access)
    if as_json:
        print_json(answer)
    else:
        say(answer.text)
        for citation in answer.citations:
            say(f"  [{citation.marker}] {citation.document_id}, characters {citation.start}-{citation.end}")
    _make_the_next_one_fast(opened)


def _tell_of_a_slow_start(flow: Flow) -> None:
    """One line on stderr, also where it is no terminal, before the question that has to wait for torch."""
    if flow.settings.retrieval.search == "full_text" or not flow.index_id:  # which raises where there is no index
        return
    from genaiops.embedding.loading import LocalEmbedder

    embedder = flow.embedder
    if isinstance(embedder, LocalEmbedder) and embedder.lacks_fast_session:
        note(
            "loading the embedding model; after the answer its fast start is made, once for this model, so that the "
            "next questions do not wait …"
        )


def _make_the_next_one_fast(flow: Flow) -> None:
    """Once for each machine and model, after an answer that had to wait for torch."""
    if "torch" not in sys.modules:  # no question was embedded, or the fast session did it
        return
    from genaiops.embedding.loading import LocalEmbedder

    embedder = flow.embedder
    if not isinstance(embedder, LocalEmbedder) or not embedder.lacks_fast_session:
        return
    sys.stdout.flush()
    if sys.stderr.isatty():
        note("making the fast start of the next questions, once for this model (Ctrl-C is harmless) …")
    embedder.make_fast_session()
