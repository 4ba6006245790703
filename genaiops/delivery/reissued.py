"""What erasures put in the place of indexes, runs and releases. The receipts tell; a reader is led to what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genaiops.delivery.receipts import read_receipts
from genaiops.errors import NotFound
from genaiops.project import Project

_STORES = ("index", "release", "run")


@dataclass(frozen=True, slots=True)
class Reissue:
    """An index, run or release that was issued again without an erased document.

    `after` is what stands in its place now, "" where nothing was left. `at` (ISO 8601 in UTC) and `receipt` (its
    number) are of the first erasure that touched it. It names no document: nobody shall learn from it what was erased.
    """

    store: str
    before: str
    after: str
    at: str
    receipt: int

    def __str__(self) -> str:
        why = f"on {self.at[:10]}, because a document was erased from it (receipt {self.receipt})"
        name = f"{self.store} {self._short(self.before)}"
        return f"{name} was issued again as {self._short(self.after)} {why}" if self.after else f"{name} went {why}"

    def _short(self, name: str) -> str:
        return name if self.store == "run" else name[:12]


def reissue_of(project: Project, name: str, stores: Sequence[str] = _STORES) -> Reissue | None:
    """What became of the index, run or release of that id, or the only one whose id starts so; None if nothing did.

    A run may be named by the end of its id too, as wherever runs are named.
    """
    found: dict[tuple[str, str], Reissue] = {}
    for receipt in read_receipts(project):
        for item in receipt.artefacts:
            if item.store not in _STORES or item.before == item.after:
                continue
            for key, known in found.items():
                if (known.store, known.after) == (item.store, item.before):
                    found[key] = Reissue(known.store, known.before, item.after, known.at, known.receipt)
            found.setdefault(
                (item.store, item.before), Reissue(item.store, item.before, item.after, receipt.at, receipt.sequence)
            )
    matches = [one for (store, _), one in found.items() if store in stores and _is_named(one, name)]
    exact = [one for one in matches if one.before == name]
    return (exact or matches)[0] if len(exact or matches) == 1 else None


def _is_named(one: Reissue, name: str) -> bool:
    return bool(name) and (one.before.startswith(name) or (one.store == "run" and one.before.endswith(name)))


def lead_to_successor(project: Project, name: str, command: str = "", *, stores: Sequence[str] = _STORES) -> None:
    """Raise NotFound that tells what stands in the place of `name` now; nothing where no erasure touched it.

    `command` is what to run with the new id, which takes the place of `{}` in it; `stores` are those whose ids the
    asker can take.
    """
    if one := reissue_of(project, name, stores):
        new = one.after if one.store == "run" else one.after[:12]
        remedy = (command.format(new) if command else f"use {new}") if new else "nothing is left in its place"
        raise NotFound(str(one), where=project.home, remedy=remedy)
