"""Passports and corrections in one line each, for reports and the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from genaiops.evaluation.passports.correcting import CorrectedShare
from genaiops.evaluation.passports.record import Figure, Passport

SHOWN_SOURCES = 4


def passport_line(passport: Passport) -> str:
    """`AUROC 0.61–0.93, balanced accuracy 0.57–0.86 over 3 sources, n 1,735, until 2027-11-21`.

    From the worst source to the best: sources are never pooled.
    """
    auroc = _range(source.auroc for source in passport.sources)
    accuracy = _range(source.balanced_accuracy for source in passport.sources)
    over = f" over {len(passport.sources)} sources" if len(passport.sources) > 1 else ""
    state = f"retired: {passport.retired}" if passport.retired else f"until {passport.expires_at}"
    return f"AUROC {auroc}, balanced accuracy {accuracy}{over}, n {passport.n:,}, {state}"


def correction_line(corrected: CorrectedShare) -> str:
    """`groundedness: 0.83 of 120 answers are at or above the threshold; corrected for the judge's error …`."""
    shown = [f"{name} {_figure(found)}" for name, found in list(corrected.sources.items())[:SHOWN_SOURCES]]
    told = (
        f"{corrected.measure}: the judge calls {corrected.judged:.2f} of {corrected.n} answers good; "
        f"corrected for its error {corrected.low:.2f}–{corrected.high:.2f}"
    )
    erring = f"erring as on {'; '.join(shown)}" if shown else "no labels at hand explain so large or small a share"
    unlike = f"; not as on {', '.join(corrected.unlike)}, which cannot be" if shown and corrected.unlike else ""
    return f"{told} ({erring}{unlike})"


def _figure(found: Figure) -> str:
    if (found.low, found.high) == (0.0, 1.0):
        return "nothing can be said"
    return f"{found.value:.2f}, {found.low:.2f}–{found.high:.2f}"


def _range(figures: Iterable[Figure | None]) -> str:
    values = [figure.value for figure in figures if figure is not None]
    if not values:
        return "not known"
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low}–{high}"
