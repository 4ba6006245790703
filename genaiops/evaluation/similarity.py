"""How near an answer's meaning is to the reference, by the vectors of our embedder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from genaiops.embedding import Embedder, TokenEmbedder
from genaiops.errors import ConfigurationError
from genaiops.evaluation.judges.judge import scored
from genaiops.evaluation.judges.sentences import Vectorizer
from genaiops.evaluation.plain_measure import ReferencedMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.text_measures import without_citations
from genaiops.records import Outcome, digest_of

if TYPE_CHECKING:
    from genaiops.embedding import Vectors

VERSION = 1
BATCH = 64  # samples whose token vectors are held at once


@dataclass(frozen=True, slots=True)
class Similarity(ReferencedMeasure):
    """A comparison of vectors, for samples that have a reference. The embedder's fingerprint is in `judge`."""

    name: str
    embedder: Embedder
    compare: Callable[[Sequence[tuple[str, str]], Embedder], list[float]]
    steady: ClassVar[bool] = True

    @property
    def judge(self) -> str:
        return digest_of([self.name, VERSION, self.embedder.fingerprint])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        return [found for at in range(0, len(samples), BATCH) for found in self._batch(samples[at : at + BATCH])]

    def _batch(self, samples: Sequence[Sample]) -> list[Outcome]:
        known = [sample for sample in samples if self._none(sample) is None]
        pairs = [(without_citations(sample.answer), sample.reference) for sample in known]
        values = iter(self.compare(pairs, self.embedder) if pairs else [])
        return [self._none(sample) or scored(next(values)) for sample in samples]


def cosines(pairs: Sequence[tuple[str, str]], embedder: Embedder) -> list[float]:
    """Cosine of the vectors of answer and reference; a negative one counts as 0, an empty text as 0."""
    full = [pair for pair in pairs if pair[0].strip()]
    vectors = Vectorizer(embedder, (text for pair in full for text in pair))
    products = (vectors.of([ours]) @ vectors.of([theirs]).T for ours, theirs in full)
    found = dict(zip(full, (float(product[0, 0]) for product in products), strict=True))
    return [found.get(pair, 0.0) for pair in pairs]


def bertscores(pairs: Sequence[tuple[str, str]], embedder: Embedder) -> list[float]:
    """BERTScore F1 (Zhang et al., ICLR 2020) on the token vectors of our embedder, in [0, 1].

    Every token meets its nearest in the other text; recall is the mean over the reference's tokens, precision over
    the answer's. Without idf weights and without rescaling by a baseline, so values lie close together and high.
    """
    if not isinstance(embedder, TokenEmbedder):
        raise ConfigurationError(
            "this embedder gives no vectors of single tokens", remedy="bertscore needs a model on this machine"
        )
    tokens = embedder.embed_tokens([text for pair in pairs for text in pair])
    return [_f1(tokens[at], tokens[at + 1]) for at in range(0, len(tokens), 2)]


def _f1(ours: Vectors, theirs: Vectors) -> float:
    """F1 of greedily matched unit rows; 0 for a text without tokens."""
    if not len(ours) or not len(theirs):
        return 0.0
    cosine = ours @ theirs.T
    precision, recall = float(cosine.max(axis=1).mean()), float(cosine.max(axis=0).mean())
    return 2 * precision * recall / (precision + recall) if precision > 0 and recall > 0 else 0.0


SIMILARITIES: dict[str, Callable[[Sequence[tuple[str, str]], Embedder], list[float]]] = {
    "semantic_similarity": cosines,
    "bertscore": bertscores,
}
