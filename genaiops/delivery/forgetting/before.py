"""What was erased before: the receipt of then, found without the document, by its keyed hashes alone."""

from __future__ import annotations

from genaiops.delivery.receipts import Receipt, read_receipts
from genaiops.errors import ConfigurationError, GenaiopsError, NotFound
from genaiops.flow.tombstones import known_pseudonym, tombstones_of
from genaiops.project import Project


def erased_before(project: Project, *, document: str = "", text: str = "") -> Receipt | None:
    """The receipt of the erasure whose block still keeps out a document id, or the words of a text; None without one.

    Nothing is written. Raises IntegrityError when tombstones or receipts cannot be read.
    """
    stones = tombstones_of(project, document=document, text=text)
    if not stones:
        return None
    receipts, last = read_receipts(project), stones[-1]
    named = [receipt for receipt in receipts if receipt.document == last.id[:16]]
    # Under another id it went together with the document of that name, whose receipt was written next.
    return named[-1] if named else next((receipt for receipt in receipts if receipt.at >= last.at), None)


def found_nothing(project: Project, error: NotFound | ConfigurationError, document: str) -> GenaiopsError:
    """The error of an erasure that found nothing, told of a document that was erased once and let in again."""
    name = known_pseudonym(project, document) if document else ""
    past = [receipt for receipt in read_receipts(project) if name and receipt.document == name]
    if not past:
        return error
    told = f"it was erased on {past[-1].at} (receipt {past[-1].sequence}) and let in again; no build has read it since"
    return NotFound(error.what, where=error.where, remedy=told)
