"""Intervals and shares as inline SVG pictures, with their axes written on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genaiops.evaluation.reports.changes import Change
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.text import number, share, signed
from genaiops.records import Summary

WIDTH, HEIGHT, AXIS = 220, 26, 13  # of the picture of one interval, and what its axis adds below
MARGIN = 12


@dataclass(frozen=True, slots=True)
class Axis:
    """The values at the left and the right end of a plot, and where those lie in SVG units."""

    low: float
    high: float
    left: float = MARGIN
    right: float = WIDTH - MARGIN

    def x(self, value: float) -> float:
        """Horizontal place of a value, kept inside the plot."""
        span = self.high - self.low
        part = (value - self.low) / span if span > 0 else 0.5
        return round(self.left + min(1.0, max(0.0, part)) * (self.right - self.left), 1)

    @property
    def ticks(self) -> tuple[float, float, float]:
        return self.low, (self.low + self.high) / 2, self.high


UNIT = Axis(0.0, 1.0)


def axis_for(*summaries: Summary | None, unit_interval: bool) -> Axis:
    """[0, 1] for a measure on that scale, else from 0 to a round number past the largest bound."""
    if unit_interval:
        return UNIT
    ends = [v for s in summaries if s for v in (s.low, s.mean, s.high) if v is not None]
    if not ends or max(map(abs, ends)) == 0:
        return UNIT
    return Axis(-rounded_up(-min(ends)) if min(ends) < 0 else 0.0, rounded_up(max(ends)) if max(ends) > 0 else 0.0)


def rounded_up(value: float) -> float:
    """The least of 1, 2, 4, 6, 8 times a power of ten that is not below `value`, which is positive."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def interval_plot(summary: Summary, baseline: Summary | None, axis: Axis, description: str) -> Markup:
    """The interval as a bar with the mean as a dot; the baseline, if any, hollow below it; the axis at the foot."""
    middle = HEIGHT / 2 if baseline is None else HEIGHT / 2 - 5
    marks: list[Markup] = [
        h("line", x1=axis.x(place), x2=axis.x(place), y1=2, y2=HEIGHT - 2, class_="grid") for place in axis.ticks
    ]
    if baseline is not None:
        marks += _mark(baseline, axis, HEIGHT / 2 + 6, "before")
    marks += _mark(summary, axis, middle, "now")
    marks += [
        h("text", _tick(place), x=axis.x(place), y=HEIGHT + AXIS - 4, class_="tick", text_anchor="middle")
        for place in axis.ticks
    ]
    return _svg(WIDTH, HEIGHT + AXIS, marks, description, "plot")


def _mark(summary: Summary, axis: Axis, y: float, kind: str) -> list[Markup]:
    if summary.mean is None:
        return []
    return [_bar(summary.low, summary.high, axis, y, kind), h("circle", cx=axis.x(summary.mean), cy=y, r=4,
            class_=f"{kind} dot")]  # fmt: skip


def _bar(low: float | None, high: float | None, axis: Axis, y: float, kind: str) -> Markup:
    """From end to end; an end without a bound runs to the end of the axis, dashed by its class."""
    open_low, open_high = (end is None or math.isinf(end) for end in (low, high))
    left = axis.left if open_low or low is None else axis.x(low)
    right = axis.right if open_high or high is None else axis.x(high)
    open_ended = " open" if open_low or open_high else ""
    width = max(1.0, round(right - left, 1))
    return h("rect", x=round(left, 1), y=y - 2.5, width=width, height=5, rx=2.5, class_=f"{kind} bar{open_ended}")


# --- all changes in one picture -----------------------------------------------------

FOREST_WIDTH, ROW, NAMES, WORDS = 1040, 28, 200, 360  # the plot itself lies between the names and the words


def forest_plot(changes: Sequence[Change], title: str, *, percent_of: Sequence[float] | None = None) -> Markup:
    """One row for each change: its interval against zero, on one axis, with its figures and its word beside it.

    With `percent_of` (the baseline's values, all above 0) each change is drawn in percent of that value.
    """
    scaled = [
        tuple(value / (percent_of[row] if percent_of else 1.0) for value in (change.low, change.estimate, change.high))
        for row, change in enumerate(changes)
    ]
    reach = max((abs(v) for row in scaled for v in row if math.isfinite(v)), default=0.0)
    end = rounded_up(reach) if reach > 0 else 1.0
    axis = Axis(-end, end, NAMES + 8, FOREST_WIDTH - WORDS - 8)
    foot = ROW * len(changes) + 6
    marks: list[Child] = []
    for step in (-1.0, -0.5, 0.0, 0.5, 1.0):
        place = axis.x(step * end)
        value = f"{signed(100 * step * end, unit_interval=False)} %" if percent_of else _signed_tick(step * end)
        marks.append(h("line", x1=place, x2=place, y1=2, y2=foot, class_="grid" if step else "zero"))
        marks.append(h("text", value if step else "0", x=place, y=foot + 14, class_="tick", text_anchor="middle"))
    for row, (change, (low, middle, high)) in enumerate(zip(changes, scaled, strict=True)):
        y = ROW * row + ROW / 2 + 2
        kind = change.direction or "unclear"
        marks.append(h("text", change.measure, x=NAMES, y=y + 4, class_="name", text_anchor="end"))
        marks.append(_bar(low, high, axis, y, kind))
        marks.append(h("circle", cx=axis.x(middle), cy=y, r=4, class_=f"{kind} dot"))
        told = f"{change.word}: {change}"
        marks.append(h("text", told, x=FOREST_WIDTH - WORDS + 4, y=y + 4, class_=f"told {kind}"))
    marks.append(h("text", title, x=(axis.left + axis.right) / 2, y=foot + 31, class_="tick", text_anchor="middle"))
    spoken = "; ".join(f"{change.measure} {change.word}: {change}" for change in changes)
    return _svg(FOREST_WIDTH, foot + 38, marks, f"{title}. {spoken}", "forest")


# --- shares of a whole --------------------------------------------------------------


def share_bar(parts: Sequence[tuple[str, str, int]]) -> Markup:
    """(class, name, count) of every part as one bar, its width the whole; counts above 0."""
    whole = sum(count for _, _, count in parts)
    marks: list[Markup] = []
    left = 0.0
    for class_, name, count in parts:
        width = FOREST_WIDTH * count / whole
        marks.append(
            h(
                "rect",
                h("title", f"{name}: {count:,} ({share(count / whole)})"),
                x=round(left, 1),
                y=0,
                width=round(max(width - 2, 1), 1),
                height=22,
                class_=f"part {class_}",
            )
        )
        left += width
    spoken = "; ".join(f"{name}: {count}" for _, name, count in parts)
    return _svg(FOREST_WIDTH, 22, marks, spoken, "shares", preserveAspectRatio="none")


def _svg(width: float, height: float, marks: Child, description: str, class_: str, **more: str) -> Markup:
    return h(
        "svg",
        marks,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=description,
        class_=class_,
        **more,
    )


def _tick(value: float) -> str:
    return number(value, unit_interval=False)


def _signed_tick(value: float) -> str:
    return signed(value, unit_interval=False)
