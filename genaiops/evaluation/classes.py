"""Classification: precision, recall and F1 over the counts of (true label, said label)."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FIGURES = ("precision", "recall", "f1")


@dataclass(slots=True)
class _Count:
    right: float = 0.0  # it was the label, and was said
    said: float = 0.0
    true: float = 0.0


def counted(true: str, said: str) -> dict[str, float]:
    """The count of one case: what corpora add up."""
    return {json.dumps([true, said], ensure_ascii=False): 1.0}


def macro(figure: str, total: Mapping[str, float]) -> float:
    """The mean of a figure over the labels that some case has, in [0, 1]: a rare label counts as much as a common one.

    As sklearn.metrics with `average="macro"` and the labels of the references; what is said and is no such label is
    a miss of the case's label, and no label of its own. A figure with nothing below its bar is 0.
    """
    table = _table(total)
    figures = [_figure(figure, count) for count in table.values() if count.true > 0]
    return sum(figures) / len(figures) if figures else 0.0


def of_label(figure: str, label: str, total: Mapping[str, float]) -> float:
    """A figure of one label, in [0, 1]; 0 for a label that nobody has or said."""
    table = _table(total)
    return _figure(figure, table[label]) if label in table else 0.0


def doubts(cases: Sequence[Mapping[str, float]], label: str = "") -> list[float]:
    """For each case what its contribution to a figure should vary by beyond what was seen; "" for a macro figure.

    Three cases of a label that all went well have no spread, and prove little. So each label's share of right cases
    is doubted as if one more had gone well and one not (Laplace's rule of succession), and the variance that adds is
    dealt out to the cases of the label, up and down in turn.
    """
    pairs = [tuple(json.loads(next(iter(parts)))) for parts in cases]
    groups: dict[str, list[int]] = defaultdict(list)
    for position, (true, said) in enumerate(pairs):
        if not label or label in (true, said):
            groups[label or true].append(position)
    found = [0.0] * len(cases)
    sign = 1.0
    for positions in groups.values():
        size = len(positions)
        right = sum(pairs[position][0] == pairs[position][1] for position in positions)
        share, doubted = right / size, (right + 1) / (size + 2)
        missing = max(0.0, doubted * (1 - doubted) - share * (1 - share))
        for position in positions:
            found[position] = sign * math.sqrt(missing) * len(cases) / (len(groups) * size)
            sign = -sign
    return found


def _table(total: Mapping[str, float]) -> dict[str, _Count]:
    table: dict[str, _Count] = defaultdict(_Count)
    for key, cases in total.items():
        true, said = json.loads(key)
        table[true].true += cases
        table[said].said += cases
        if true == said:
            table[true].right += cases
    return table


def _figure(figure: str, count: _Count) -> float:
    if not count.right:
        return 0.0
    if figure == "precision":
        return count.right / count.said
    if figure == "recall":
        return count.right / count.true
    return 2 * count.right / (count.said + count.true)
