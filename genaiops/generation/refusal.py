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
# What follows a "but": an answer after all, unless it sends the reader elsewhere, refuses again or says what else
# the documents hold.
_CAVEAT = re.compile(
    r"[,;.] (?:but|however|though|although|still),? |[,;] (?:it seems|i (?:think|believe|would guess)) "
)
_NO_ANSWER = re.compile(
    r"(?:please|sorry|(?:i|we|you|he|she|the (?:user|reader)) (?:can|could|may|might|should|will|would|'d)\b|"
    r"(?:i|we)'(?:d|ll|m) |i am |(?:try|ask|consult|contact|check|see|feel free|let me|consider|i (?:recommend|"
    r"suggest))\b|"
    r"if |for (?:more|further) |(?:perhaps|maybe) |more (?:information|details|context)|"
    r"(?:it|they|(?:the|these|this|those|your) (?:\w+ )?(?:document|context|source|passage|text)s?) "
    r"(?:only |do |does |also )?(?:not |mention|describe|discuss|cover|contain|talk|refer|provide|include|list|speak))"
)
_LONGEST_REFUSAL = 300  # characters; a longer text gives an answer besides the caveat


def is_refusal(text: str) -> bool:
    """True when `text` declines to answer: empty, the standard refusal, or an opening that says so and no answer after.

    An answer that follows a "but" makes the whole an answer, hedged as it is: whoever reads it gets one.
    """
    plain = " ".join(text.replace("’", "'").lower().split())
    if not plain or plain.startswith(REFUSAL.lower().rstrip(".")):
        return True
    if len(plain) > _LONGEST_REFUSAL or not _OPENING.match(plain):
        return False
    # "I cannot tell from the documents, but it is ordered by radio" answers, and is judged as an answer.
    return not any(_answers(rest) for rest in _CAVEAT.split(plain)[1:])


def _answers(text: str) -> bool:
    return bool(text.strip(" .")) and not _NO_ANSWER.match(text) and not _OPENING.match(text)
