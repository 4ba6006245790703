"""Documents are repaired, redacted, refused or marked before anything is kept of them, and their quality is told."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.cleansing.cleaner import Cleaner as Cleaner
    from genaiops.cleansing.cleaner import cleaner_for as cleaner_for
    from genaiops.cleansing.near_duplicates import Compared as Compared
    from genaiops.cleansing.near_duplicates import NearDuplicate as NearDuplicate
    from genaiops.cleansing.quality import QualityBar as QualityBar
    from genaiops.cleansing.quality import QualityCounter as QualityCounter
    from genaiops.cleansing.quality import QualityReport as QualityReport
    from genaiops.cleansing.quality import lines as lines
    from genaiops.cleansing.quality import missed as missed
    from genaiops.cleansing.settings import CleansingSettings as CleansingSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
__getattr__, __all__ = lazily(
    __name__,
    {
        "cleaner": "Cleaner cleaner_for",
        "near_duplicates": "Compared NearDuplicate",
        "quality": "QualityBar QualityCounter QualityReport lines missed",
        "settings": "CleansingSettings",
    },
)
