"""Breakpoints where the subject changes, told by the embedder.

The text is parted into short stretches of whole sentences. Of all ways to put neighbouring stretches together into
chunks of at most `size`, the one is taken whose chunks hold the most likeness: the sum, over all pairs of stretches
in a chunk, of their cosine less the mean cosine of all pairs of the text. This is the cluster semantic chunker of
Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval" (Chroma, 2024); dynamic programming finds the
best cut in time linear in the length of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.chunking.lengths import Ruler, ruler_for
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import Span, Unit, filled, overlapping, prose_units
from genaiops.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STRETCHES = 8  # about so many in a full chunk


class Semantic:
    """Cuts between sentences, where neighbours are least alike. The same vectors give the same cuts."""

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        if tools.embed is None:
            raise ConfigurationError("strategy: semantic needs an embedder", remedy="pass Tools(embed=…)")
        self._settings, self._tools, self._embed = settings, tools, tools.embed

    def pieces(self, text: str) -> list[Piece]:
        size, overlap = self._settings.size, self._settings.overlap
        ruler = ruler_for(text, self._settings, self._tools)
        units = prose_units(text, 0, len(text), size, ruler)
        if not units:
            return []
        stretches = _stretches(units, max(1, size // _STRETCHES), ruler)
        vectors = self._embed([text[stretch.start : stretch.end] for stretch in stretches])
        groups = _best_groups(stretches, vectors, size - overlap, ruler)
        return [Piece(*span) for span in overlapping(stretches, groups, size, overlap, ruler)]


def _stretches(units: list[Unit], share: int, ruler: Ruler) -> list[Unit]:
    """Neighbouring units put together while they are at most `share`, so that no chunk holds very many."""
    spans = filled(units, share, 0, ruler)
    starts = {unit.start: unit.before for unit in units}
    return [Unit(start, end, starts[start]) for start, end in spans]


def _best_groups(stretches: list[Unit], vectors: NDArray[np.float32], most: int, ruler: Ruler) -> list[Span]:
    """The ranges of stretches, each at most `most` or a single one, whose gains have the greatest sum.

    `gain[j]` is that of the best cut of the first `j` stretches; `start[j]` where its last group begins.
    """
    import numpy as np

    count = len(stretches)
    total = vectors.sum(axis=0, dtype=np.float64)
    mean = (float(total @ total) - count) / (count * (count - 1)) if count > 1 else 0.0
    gain, start = [0.0] * (count + 1), [0] * (count + 1)
    for stop in range(1, count + 1):
        first = stop - 1
        end = stretches[first].end
        while first > 0 and ruler.length(stretches[first - 1].start, end) <= most:
            first -= 1
        near = vectors[first:stop].astype(np.float64)
        pairs = np.triu(near @ near.T - mean, k=1)
        # inside[i]: what all pairs of first + i … stop - 1 hold together.
        inside = np.cumsum(pairs.sum(axis=1)[::-1])[::-1]
        sums = [gain[first + i] + float(inside[i]) for i in range(stop - first)]
        best = max(range(len(sums)), key=sums.__getitem__)  # of equals the first: the longest group
        gain[stop], start[stop] = sums[best], first + best
    groups = []
    stop = count
    while stop > 0:
        groups.append((start[stop], stop))
        stop = start[stop]
    return groups[::-1]
