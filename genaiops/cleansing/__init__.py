"""Documents are repaired, redacted, refused or marked before anything is kept of them, and their quality is told."""

from genaiops.cleansing.cleaner import Cleaner, cleaner_for
from genaiops.cleansing.near_duplicates import Compared, NearDuplicate
from genaiops.cleansing.quality import QualityBar, QualityCounter, QualityReport, lines, missed, quality_report
from genaiops.cleansing.sensitivity import SENSITIVITIES, strictest
from genaiops.cleansing.settings import CleansingSettings

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
