"""What a judge is known to be worth: measured against people, dated, and gone when the judge changes.

The names below are loaded when they are first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.evaluation.passports.calibrating import Labelled as Labelled
    from genaiops.evaluation.passports.calibrating import calibrate as calibrate
    from genaiops.evaluation.passports.calibrating import read_labels as read_labels
    from genaiops.evaluation.passports.correcting import CorrectedShare as CorrectedShare
    from genaiops.evaluation.passports.correcting import corrected_shares as corrected_shares
    from genaiops.evaluation.passports.correcting import ppi_mean as ppi_mean
    from genaiops.evaluation.passports.correcting import rogan_gladen as rogan_gladen
    from genaiops.evaluation.passports.labelled_runs import corrected_by_labels as corrected_by_labels
    from genaiops.evaluation.passports.labelled_runs import label_sheet as label_sheet
    from genaiops.evaluation.passports.record import Passport as Passport
    from genaiops.evaluation.passports.record import SourceFigures as SourceFigures
    from genaiops.evaluation.passports.shelf import Shelf as Shelf
    from genaiops.evaluation.passports.text import correction_line as correction_line
    from genaiops.evaluation.passports.text import passport_line as passport_line

__getattr__, __all__ = lazily(
    __name__,
    {
        "correcting": "CorrectedShare corrected_shares ppi_mean rogan_gladen",
        "calibrating": "Labelled calibrate read_labels",
        "record": "Passport SourceFigures",
        "shelf": "Shelf",
        "labelled_runs": "corrected_by_labels label_sheet",
        "text": "correction_line passport_line",
    },
)
