"""Run retrieval-augmented generation as software.

The names below are loaded when first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.evaluation import evaluate
    from genaiops.flow import Flow
    from genaiops.golden_sets import GoldenSet

__version__ = "0.1.0"
__all__ = ["Flow", "GoldenSet", "__version__", "evaluate"]


def __getattr__(name: str) -> object:
    if name == "Flow":
        from genaiops.flow import Flow

        return Flow
    if name == "GoldenSet":
        from genaiops.golden_sets import GoldenSet

        return GoldenSet
    if name == "evaluate":
        from genaiops.evaluation import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
