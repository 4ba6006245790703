"""Refusals are an outcome of their own, so everyone recognises them in the same way."""

from __future__ import annotations

import re

REFUSAL = "I cannot answer that from the documents."

# An answer that opens by saying it has none. Only the opening counts: "The guide does not
# mention X, but …" inside a long answer is an answer with a caveat.
_OPENING = re.compile(
    r"(?:(?:i'm|i am|we are|sorry)[,.]? )?(?:sorry[,.]? )?(?:but )?(?:"
    r"(?:i|we) (?:do not|don't) (?:know|have (?:enough|any|the|sufficient|that|this))|"
    r"(?:(?:i|we) )?(?:cannot|can't|can not|could not|couldn't|(?:am |are )?(?:unable|not able) to) (?:\w+ ){0,2}?"
    r"(?:answer|find|determine|tell|say|help|provide|confirm|locate|verify|be answered)\b|"
    r"(?:the|these|this|those|your) (?:provided |given |available )?(?:document|context|source|passage|text)s?"
    r"(?: provided| given)? (?:do not|does not|don't|doesn't|did not) "
    r"(?:contain|mention|say|provide|include|answer|state|cover)|"
    r"there is no (?:information|mention|answer)|no (?:information|answer) (?:is|was) (?:found|given|available))"
)
_LONGEST_REFUSAL = 300  # characters; a longer text gives an answer besides the caveat


def is_refusal(text: str) -> bool:
    """True when `text` declines to answer: empty, the standard refusal, or an opening that says so."""
    plain = " ".join(text.replace("’", "'").lower().split())
    if not plain or plain.startswith(REFUSAL.lower().rstrip(".")):
        return True
    return len(plain) <= _LONGEST_REFUSAL and _OPENING.match(plain) is not None
