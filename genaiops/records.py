"""The nouns that flow from room to room. Frozen; ids are digests of content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from pydantic import BaseModel

Metadata = Mapping[str, Any]  # JSON values only: str, int, float, bool, None, lists and maps of them
CaseKind = Literal["answerable", "unanswerable", "adversarial"]
VerdictKind = Literal["pass", "fail", "inconclusive"]
Lacks = Literal["", "contexts", "documents", "reference"]  # what a measurement would have needed of an application


def canonical_json(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, NaN refused with ValueError."""
    return json.dumps(as_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """sha256 (64 hex digits) of the canonical JSON of a record or of plain JSON data."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_of_text(text: str) -> str:
    """sha256 (64 hex digits) of the UTF-8 bytes of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_json(value: object) -> Any:
    """Records, settings and containers of them as plain JSON data; fields that start with `_` stay out."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value) if not f.name.startswith("_")}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(as_json(item) for item in value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from: facts of one reading, which take no part in any id.

    `source` is the source as flow.yaml names it, without credentials; `loader` the loader's name and version;
    `content` the sha256 (64 hex digits) of the bytes or rows read; `modified` when the source says it last
    changed (ISO 8601, UTC), "" where it says nothing.
    """

    source: str
    loader: str
    content: str
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` of a document stands for `[original_start, original_end)` of the text that was loaded.

    `kind` says why they differ: `redacted:email`, `boilerplate`, `encoding`, `whitespace`. What was taken out is not
    kept. Between two edits both texts are the same, so every offset can be mapped.
    """

    start: int
    end: int
    original_start: int
    original_end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Document:
    """One source text. `id` is its path relative to its source (or its key), `digest` covers text and metadata.

    `origin` and `edits` (in order, not overlapping) tell how the text came to be; an index keeps them apart.
    """

    id: str
    text: str
    metadata: Metadata = field(default_factory=dict)
    origin: Origin | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of({"id": self.id, "text": self.text, "metadata": self.metadata})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Document:
        """The document that `as_json` wrote, whole or without `origin` and `edits`. TypeError for other data."""
        origin = data.get("origin")
        edits = tuple(Edit(**edit) for edit in data.get("edits", ()))
        return cls(**{**data, "origin": None if origin is None else Origin(**origin), "edits": edits})


@dataclass(frozen=True, slots=True)
class Chunk:
    """The span `[start, end)` (in characters) of one document's text; `text` is exactly that span.

    `indexed_text` is what is embedded and searched: the text, with whatever the
    enrichment put before it. `settings` is the digest of the chunker's settings.
    """

    document_id: str
    start: int
    end: int
    text: str
    settings: str
    indexed_text: str
    metadata: Metadata = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Digest of document id, span, text and chunker settings (first 32 hex digits)."""
        return digest_of([self.document_id, self.start, self.end, self.text, self.settings])[:32]


@dataclass(frozen=True, slots=True)
class Query:
    """A question put to the flow, and which documents may answer it.

    `where` filters by metadata before the search (docs/retrieval.md tells the forms). `access` holds the labels
    of whoever asks: documents with labels of their own are found only by one of those; None asks for everything.
    """

    text: str
    id: str = ""
    where: Metadata = field(default_factory=dict)
    access: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk as ranked for one query. The score lives here, never on the chunk. `rank` starts at 1.

    `signals` are the raw scores of what found and chose it: `vector` (cosine), `full_text` (BM25 of the chunk and of
    its document), `rerank` (the cross-encoder's), `relevance` (before diversity counted, in [0, 1]).
    """

    chunk: Chunk
    score: float
    rank: int
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One variant: the content of a `.prompty` file.

    `template` holds the messages before rendering; `inputs` are the variables it
    needs, exactly; `options` are the model options it asks for.
    """

    name: str
    template: tuple[Message, ...]
    inputs: tuple[str, ...]
    options: Metadata = field(default_factory=dict)
    description: str = ""

    @property
    def digest(self) -> str:
        return digest_of([self.name, self.template, self.inputs, self.options])


@dataclass(frozen=True, slots=True)
class Citation:
    """Marker `[marker]` of an answer, standing for the span `[start, end)` of a document that reads `quote`."""

    marker: int
    chunk_id: str
    document_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one generation; `estimated` when the endpoint reported none (bytes / 4), 0 for those `unknown`."""

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    unknown: tuple[str, ...] = ()  # names of counts that an application told not


@dataclass(frozen=True, slots=True)
class Answer:
    """What the flow said to one query, with everything it saw and spent on the way.

    `seconds` maps stage (retrieve, prompt, generate, total) to seconds; `cost_usd` is None where no price is known.
    """

    query: Query
    text: str
    refused: bool
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    usage: Usage
    cost_usd: float | None
    seconds: Mapping[str, float]
    model: str
    prompt: str
    index: str
    release: str = ""  # empty outside a release
    sensitivity: str = ""  # the strictest label among the hits; "" when none has one
    searched: str = ""  # what a model made of the question to search for; "" where the question itself was

    def __str__(self) -> str:
        cited = "".join(f"\n[{c.marker}] {c.document_id} {c.start}-{c.end}" for c in self.citations)
        return f"{self.text}{cited}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote that occurs verbatim in a document. Anchored in documents, so it survives re-chunking."""

    document: str
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question of a golden set. Without evidence or reference, the right answer is a refusal.

    `forbidden` are texts that no answer may hold: a secret, or what a planted instruction asks for.
    """

    id: str
    question: str
    kind: CaseKind = "answerable"
    reference: str = ""
    evidence: tuple[Evidence, ...] = ()
    tags: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    @property
    def wants_answer(self) -> bool:
        return bool(self.evidence or self.reference)

    @property
    def digest(self) -> str:
        data = as_json(self)
        if not self.forbidden:
            del data["forbidden"]  # such a case keeps the digest it had before there was the field
        return digest_of(data)


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value; the median of `votes`, the single judgements, where several were asked for.

    `parts` are the counts of the case where the figure of all cases is made of their sum.
    """

    value: float
    parts: tuple[tuple[str, float], ...] = ()
    votes: tuple[float, ...] = ()

    @property
    def spread(self) -> float:
        """Largest minus smallest vote: how far the judge disagrees with itself; 0 without votes."""
        return max(self.votes) - min(self.votes) if self.votes else 0.0


@dataclass(frozen=True, slots=True)
class Unscored:
    """A measurement that failed, with the reason. It lowers coverage, never the mean.

    No record keeps `outage` (what measures failed, so it may do better next time) and `lacks` (what was needed).
    """

    reason: str
    outage: bool = field(default=False, compare=False, repr=False)
    lacks: Lacks = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A measure that has no meaning for this case (recall of a question that nothing answers); `lacks` as above."""

    reason: str
    lacks: Lacks = field(default="", compare=False, repr=False)


Outcome = Score | Unscored | NotApplicable


@dataclass(frozen=True, slots=True)
class Summary:
    """One measure over a run: mean with its interval `[low, high]` (None when nothing was scored)."""

    measure: str
    mean: float | None
    low: float | None
    high: float | None
    scored: int
    unscored: int
    not_applicable: int = 0

    @property
    def coverage(self) -> float:
        """Scored ÷ applicable cases, in [0, 1]; 0 when no case was applicable."""
        return self.scored / ((self.scored + self.unscored) or 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate decided, with every reason at once."""

    verdict: VerdictKind
    reasons: tuple[str, ...]
