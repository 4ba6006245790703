"""Retrieval settings learnt from the training part of a flow's golden set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from genaiops.delivery.golden_parts import training_cases
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.evaluation.ranking import ndcg
from genaiops.evaluation.retrieval_measures import covers, expanded_ranking
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet, check
from genaiops.records import Case, Hit, Query
from genaiops.retrieval.learning import FEWEST, Learnt, Value, learn_weight

TRAIN = "train"  # the tag of cases that may be learnt from
CUTOFF = 10


def training_part(golden: GoldenSet) -> tuple[Case, ...]:
    """The cases with evidence that may be learnt from: those tagged `train`, or where none is, half of all.

    The half is chosen by the digest of a case's id, so it stays the same when cases are added. A set that
    was divided with `genaiops golden split` has a training part of its own.
    """
    cases = [case for case in golden.cases if case.evidence]
    tagged = tuple(case for case in cases if TRAIN in case.tags)
    return tagged or tuple(case for case in cases if hashlib.sha256(case.id.encode()).digest()[0] < 128)


def learn_vector_weight(flow: Flow) -> Learnt:
    """The `vector_weight` with the best nDCG@10 on the training part. Nothing is written.

    Raises ConfigurationError when the flow's retrieval has no such weight, and GoldenSetError with too few cases or
    quotes that no document holds.
    """
    from genaiops.indexing.snapshot import read_documents_of

    settings = flow.settings.retrieval
    if settings.search != "hybrid" or settings.fusion != "weighted":
        raise ConfigurationError(
            f"there is no weight to learn with search: {settings.search} and fusion: {settings.fusion}",
            remedy="--set retrieval.search=hybrid --set retrieval.fusion=weighted",
        )
    golden = GoldenSet.load(flow.golden_set_path)
    pipeline = flow.pipeline
    check(golden, read_documents_of(flow.project.indexes / pipeline.served.index))
    train = training_cases(flow)
    cases = training_part(golden) if train is None else tuple(case for case in train if case.evidence)
    if len(cases) < FEWEST:
        raise GoldenSetError(
            f"the training part has {len(cases)} case(s) with evidence, a weight needs at least {FEWEST}",
            where=flow.golden_set_path,
            remedy=f"tag more cases {TRAIN!r}, or add cases",
        )
    judged = [(Query(case.question, case.id), _value(case)) for case in cases]
    return learn_weight(pipeline.retriever, judged, k=CUTOFF, seed=flow.settings.evaluation.seed)


def _value(case: Case) -> Value:
    """nDCG@10 of hits against the case's quotes, as `ndcg@10` measures it."""

    def value(hits: Sequence[Hit]) -> float:
        covered = [
            frozenset(number for number, quote in enumerate(case.evidence) if covers(hit.chunk, quote)) for hit in hits
        ]
        return ndcg(expanded_ranking(covered), range(len(case.evidence)))

    return value
