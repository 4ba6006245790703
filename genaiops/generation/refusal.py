"""Refusals are an outcome of their own, so everyone recognises them in the same way."""

from __future__ import annotations

import re

REFUSAL = "I cannot answer that from the documents."

# An answer that opens by saying it has none. Only the opening counts: "The guide does not
# mention X, but …" inside a long answer is an answer with a caveat.
_OPENING = re.compile(
    r"(?:i(?:'m| am)? (?:sorry[,.]? (?:but )?)?)?"
    r"(?:i )?(?:can(?:not|'t| not)|could(?: not|n't)|am unable to|am not able to|do(?: not|n't) (?:know|have)|"
    r"(?:the|these|this|those) (?:documents?|context|sources?|passages?|text)s? (?:provided )?"
    r"(?:do(?:es)?(?: not|n't)|did(?: not|n't)) (?:contain|mention|say|provide|include|answer|state|cover)|"
    r"there is no (?:information|mention)|no (?:information|answer) (?:is|was) (?:found|given|available))"
)
_LONGEST_REFUSAL = 300  # characters; a longer text gives an answer besides the caveat


def is_refusal(text: str) -> bool:
    """True when `text` declines to answer: empty, the standard refusal, or an opening that says so."""
    plain = " ".join(text.replace("’", "'").lower().split())
    if not plain or plain.startswith(REFUSAL.lower().rstrip(".")):
        return True
    return len(plain) <= _LONGEST_REFUSAL and _OPENING.match(plain) is not None
