"""Numbers made readable."""

from __future__ import annotations

import math


def number(value: float | None, *, unit_interval: bool = True) -> str:
    """A value as people read it: `0.912`; outside the unit interval four figures; `–` for none."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if unit_interval:
        return f"{value:.3f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def signed(value: float, *, unit_interval: bool = True) -> str:
    """A difference with its sign: `+0.021`, `−0.100`, `±0`."""
    shown = number(abs(value), unit_interval=unit_interval)
    if not any(character in "123456789∞" for character in shown):
        return "±0"
    return f"{'+' if value > 0 else '−'}{shown}"


def ends(low: float | None, high: float | None, *, unit_interval: bool = True) -> str:
    """An interval: `0.200 to 0.900`; an end that the data cannot give (None or infinite) is "no bound"."""
    shown = [
        "no bound" if end is None or math.isinf(end) else number(end, unit_interval=unit_interval)
        for end in (low, high)
    ]
    return shown[0] if shown[0] == shown[1] == "no bound" else f"{shown[0]} to {shown[1]}"


def share(value: float) -> str:
    """A share in [0, 1] as a percentage that never rounds a part up to all or down to nothing."""
    percent = 100 * value
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"
