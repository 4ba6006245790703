"""Documents are repaired, redacted, refused or marked before anything is kept of them, and their quality is told."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.cleansing.cleaner import Cleaner, cleaner_for
    from genaiops.cleansing.near_duplicates import Compared, NearDuplicate
    from genaiops.cleansing.quality import QualityBar, QualityCounter, QualityReport, lines, missed, quality_report
    from genaiops.cleansing.sensitivity import SENSITIVITIES, strictest
    from genaiops.cleansing.settings import CleansingSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
_PLACES = {
    "Cleaner": "genaiops.cleansing.cleaner",
    "cleaner_for": "genaiops.cleansing.cleaner",
    "Compared": "genaiops.cleansing.near_duplicates",
    "NearDuplicate": "genaiops.cleansing.near_duplicates",
    "QualityBar": "genaiops.cleansing.quality",
    "QualityCounter": "genaiops.cleansing.quality",
    "QualityReport": "genaiops.cleansing.quality",
    "lines": "genaiops.cleansing.quality",
    "missed": "genaiops.cleansing.quality",
    "quality_report": "genaiops.cleansing.quality",
    "SENSITIVITIES": "genaiops.cleansing.sensitivity",
    "strictest": "genaiops.cleansing.sensitivity",
    "CleansingSettings": "genaiops.cleansing.settings",
}
__all__ = [
    "SENSITIVITIES",
    "Cleaner",
    "CleansingSettings",
    "Compared",
    "NearDuplicate",
    "QualityBar",
    "QualityCounter",
    "QualityReport",
    "cleaner_for",
    "lines",
    "missed",
    "quality_report",
    "strictest",
]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
