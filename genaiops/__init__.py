"""Run retrieval-augmented generation as software.

The names below are loaded when first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.evaluation import evaluate, score
    from genaiops.flow import Flow
    from genaiops.golden_sets import GoldenSet

__version__ = "0.1.0"
__all__ = ["Flow", "GoldenSet", "__version__", "evaluate", "score"]

__getattr__, _ = lazily(__name__, {"flow": "Flow", "golden_sets": "GoldenSet", "evaluation": "evaluate score"})
