"""Intervals as small inline SVG pictures."""

from __future__ import annotations

from dataclasses import dataclass

from genaiops.evaluation.reports.markup import Markup, h
from genaiops.records import Summary

WIDTH, HEIGHT = 220, 26
MARGIN = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """The values at the left and the right end of a plot."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Horizontal place of a value, in SVG units, kept inside the plot."""
        span = self.high - self.low
        part = (value - self.low) / span if span > 0 else 0.5
        return round(MARGIN + min(1.0, max(0.0, part)) * (WIDTH - 2 * MARGIN), 1)


UNIT = Axis(0.0, 1.0)


def axis_for(*summaries: Summary | None, unit_interval: bool) -> Axis:
    """[0, 1] for a measure on that scale, else from 0 to just past the largest bound."""
    if unit_interval:
        return UNIT
    ends = [v for s in summaries if s for v in (s.low, s.mean, s.high) if v is not None]
    return Axis(min(0.0, *ends), max(ends) * 1.05) if ends and max(ends) > 0 else UNIT


def interval_plot(summary: Summary, baseline: Summary | None, axis: Axis, description: str) -> Markup:
    """The interval as a bar with the mean as a dot; the baseline, if any, hollow below it."""
    middle = HEIGHT / 2 if baseline is None else HEIGHT / 2 - 5
    marks: list[Markup] = [
        h("line", x1=axis.x(place), x2=axis.x(place), y1=2, y2=HEIGHT - 2, class_="grid")
        for place in (axis.low, (axis.low + axis.high) / 2, axis.high)
    ]
    if baseline is not None:
        marks += _mark(baseline, axis, HEIGHT / 2 + 6, "before")
    marks += _mark(summary, axis, middle, "now")
    return h(
        "svg",
        marks,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        aria_label=description,
        class_="plot",
    )


def _mark(summary: Summary, axis: Axis, y: float, kind: str) -> list[Markup]:
    if summary.mean is None:
        return []
    bar = []
    if summary.low is not None and summary.high is not None:
        left, right = axis.x(summary.low), axis.x(summary.high)
        bar = [
            h("rect", x=left, y=y - 2.5, width=max(1.0, round(right - left, 1)), height=5, rx=2.5, class_=f"{kind} bar")
        ]
    return [*bar, h("circle", cx=axis.x(summary.mean), cy=y, r=4, class_=f"{kind} dot")]
