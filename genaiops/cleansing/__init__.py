"""Documents are repaired, redacted, refused or marked before anything is kept of them, and their quality is told."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.cleansing.cleaner import Cleaner, cleaner_for
    from genaiops.cleansing.near_duplicates import Compared, NearDuplicate
    from genaiops.cleansing.quality import QualityBar, QualityCounter, QualityReport, lines, missed, quality_report
    from genaiops.cleansing.settings import CleansingSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
_HOMES = {
    "Cleaner": "cleaner",
    "cleaner_for": "cleaner",
    "Compared": "near_duplicates",
    "NearDuplicate": "near_duplicates",
    "QualityBar": "quality",
    "QualityCounter": "quality",
    "QualityReport": "quality",
    "lines": "quality",
    "missed": "quality",
    "quality_report": "quality",
    "CleansingSettings": "settings",
}
__all__ = [
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
]
__getattr__ = lazily(__name__, _HOMES)
