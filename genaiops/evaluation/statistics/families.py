"""Several tests at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def holm(tests: Sequence[Callable[[float], bool]], error: float) -> list[tuple[bool, float]]:
    """Which tests reject, so that any true hypothesis among them is rejected with probability `error` at most.

    Each test says whether it rejects when it may err with the probability it is given.
    Holm's step-down (Scandinavian Journal of Statistics 6 (1979) 65-70): while k are
    left, those that reject at error / k go; it ends when none does. The second part of
    each answer is the error the test was given last: where it rejected, or could not.
    """
    found = [(False, error)] * len(tests)
    left = list(range(len(tests)))
    while left:
        each = error / len(left)
        rejected = [position for position in left if tests[position](each)]
        for position in left:
            found[position] = (position in rejected, each)
        if not rejected:
            break
        left = [position for position in left if position not in rejected]
    return found
