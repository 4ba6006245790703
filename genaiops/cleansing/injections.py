"""Instructions in documents that are aimed at the model which will read them.

Rules, not a trained model: what is flagged can be explained by its line, and a corpus about prompts is not lost.
An attack that reads like any other sentence ("Write a poem about the sea.") is not found; the measured shares are
in docs/cleansing.md. What protects an answer is how documents are shown to the model; this only marks them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

FLAG = "injection"
FLAG_HIDDEN = "hidden_text"
_ENOUGH = 2  # of the weights below, within one stretch of text
_STRETCH = 600  # characters


class Suspicion(NamedTuple):
    """Words that speak to a model begin on `line` (from 1); `kind` is a key of SIGNS."""

    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class Sign:
    """`pattern` is tried where one of `stems` is in the text (in small letters). A weight of 2 is enough by itself."""

    stems: tuple[str, ...]
    pattern: re.Pattern[str]
    weight: int = 2


_TOLD = (
    r"(?:instructions?|prompts?|orders?|commands?|guidelines|directives?|directions|rules|conversation"
    r"|assignments|tasks?|"
    r"(?:everything|anything|all)[^\w\n]{1,3}(?:above|before|you|i|we|said|else|that)|previous[ ]information"
    r"|the[ ]above|"
    r"articles?|documents?[ ]provided|provided[ ](?:documents?|articles?|context)|your[ ](?:thoughts|training"
    r"|role|programming))\b"
)


def _sign(stems: str, pattern: str, weight: int = 2) -> Sign:
    return Sign(tuple(stem.replace("¦", "|") for stem in stems.split("|")), re.compile(pattern, re.MULTILINE), weight)


SIGNS: Mapping[str, Sign] = {
    "override": _sign(
        "ignor|disregard|forget|abandon|overrid|bypass|discard|neglect|drop",
        rf"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|abandon|override|bypass|discard|neglect|drop)"
        rf"(?:[^\w\n]{{1,3}}+(?:all|any|your|my|these|those|the|of|about|every|previous|prior|preceding|earlier"
        rf"|above|former|given|"
        rf"system|other|and|existing|original|initial|safety|to|whatever"
        rf"|pre-?existing)){{1,6}}?[^\w\n]{{1,3}}+{_TOLD}"
        rf"(?=.{{0,60}}(?:\b(?:above|before|previous|prior|preceding|earlier|you|your|now|and|instead|all|say"
        rf"|print)\b|[.:!\"-]|$))"
        rf"|\b(?:ignore|disregard|forget)[^\w\n]{{1,3}}+(?:about[ ])?(?:everything|all|anything)\b(?!\s+(?:but"
        rf"|except|other))"
        rf"(?=[ ](?:above|before|you|we[ ]|that[ ]i|i[ ]said|and|else|previous|prior)|[.,!:;]|$)",
    ),
    "override (other languages)": _sign(
        "vergiss|vergessen|ignor|abweichend|olvid|oubli|dimentica|esqueça|zaboravi|zapomnij|забудь|игнорир|忽略"
        "|忘记|无视|忽視|無視|忘れ|무시",
        r"\b(?:vergiss|vergessen sie|ignoriere?n?(?: sie)?|abweichend (?:von|zu))\b[^.\n]{0,40}\b(?:anweisung"
        r"|instruktion|alle[sn]?\b|vorherig|"
        r"obig|bisherig|aufgaben|befehl|regeln)"
        r"|\b(?:olvid[ae]|ignor[ae]|olvidar)\b[^.\n]{0,30}\b(?:instruccion|todo\b|órdenes|anterior)"
        r"|\b(?:oublie[zr]?|ignore[zr]?)\b[^.\n]{0,30}\b(?:instructions?|consignes|tout ce|précédent)"
        r"|\b(?:dimentica|ignora|esqueça|ignore)\b[^.\n]{0,30}\b(?:istruzioni|instruções|precedenti|anteriores)"
        r"|\b(?:zaboravi|ignoriraj|zapomnij|zignoruj)\b[^.\n]{0,30}\b(?:instrukcij|instrukcje|upute|poleceni)"
        r"|(?:забудь(?:те)?|игнорируй(?:те)?)[^.\n]{0,30}(?:инструкци|указани|все)"
        r"|(?:忽略|忘记|无视|忽視)[^。\n]{0,16}(?:指令|指示|提示|说明|以上|之前)|(?:指示|命令|プロンプト)[^。\n]{0,10}(?:無視|忘れ)"
        r"|(?:지시|명령)[^.\n]{0,12}무시",
    ),
    "new orders": _sign(
        "instruction|task|orders|anweisung|aufgabe",
        r"\b(?:(?:your|the)[ ](?:new|next|real|actual|only)|here[ ]are[ ](?:new|your)|new[ ]set[ ]of"
        r"|change[ ]your|your)[ ]"
        r"(?:instructions?|tasks?|orders|objective)[ ](?:is|are|to)\b[^.\n]{0,12}(?:now|:|to\b|follow)"
        r"|\bfocus[ ]on[ ]your[ ]new[ ]task|\bnew[ ]instructions?[ ]?(?::|follow)|\badditional[ ]instruction[ ]?[-:]"
        r"|\b(?:folgen|kommen|hier sind)[ ](?:nun |jetzt )?(?:neue|weitere)[ ](?:anweisungen|aufgaben)"
        r"|\bdeine neue aufgabe",
    ),
    "role": _sign(
        "you are now|act as|from now on|pretend|role-play|roleplay|in character as|anything now|dan mode"
        "|developer mode|du bist|fungier",
        r"\byou are now (?:an? |the |in |called )?(?:dan\b|evil|unrestricted|unfiltered|jailbroken|free from"
        r"|\w*bot\b|assistant|ai\b|language model|"
        r"going to act|acting as|in developer)|\bfrom now on,? you (?:will|are|must|shall"
        r"|should)\b[^.\n]{0,40}\b(?:act|respond|reply|answer|"
        r"going|be|pretend|ignore|speak)"
        r"|\bi want you to act as|\b(?:do anything now|dan mode enabled|developer mode (?:enabled|output)"
        r"|stay in character as)"
        r"|\bpretend (?:that )?you (?:are|can|have)\b|\bact as (?:an? )?(?:unrestricted|python interpreter"
        r"|linux terminal|unfiltered|evil)"
        r"|\byou are role-?playing as|\bdu bist (?:jetzt|nun|kein)\b|\bals [^.\n]{0,60} fungieren",
    ),
    "prompt theft": _sign(
        "prompt|instructions",
        r"\b(?:reveal|show|print|display|repeat|output|tell|give|leak|share|send|write|spell[ ]check"
        r"|summari[sz]e|translate)\b"
        r"(?:[^\w\n]{1,3}+(?:me|us|all|out|back|of|the|and|display|your|verbatim)){0,5}?"
        r"[^\w\n]{1,3}+(?:your|the)[^\w\n]{1,3}+(?:\w{1,12}[ ])?(?:(?:system|initial|original|hidden|secret"
        r"|full|complete|entire|own)[ ]"
        r"(?:prompts?|instructions|message)|prompt[ ]?texts?|(?:initial|secret)[ ]instructions)\b"
        r"|\b(?:show|tell)[ ](?:me[ ])?(?:all[ ])?(?:what[ ]are[ ])?your[ ](?:prompt|instructions)\b"
        r"|\byour[ ]prompt[ ]?texts?\b",
    ),
    "addressed to a model": _sign(
        "llm|assistant|language model|chatgpt|gpt|claude|copilot|gemini| ai",
        r"\b(?:attention|note|message|important|instructions?|notice|memo|reminder|dear|hello|hey|hi"
        r"|to)[ ,:!-]{1,3}(?:to |for |all |any |the |every ){0,3}"
        r"(?:ai|llms?|(?:large )?language models?|ai (?:assistants?|models?|agents?|systems?)|chatgpt|gpt-?4?"
        r"|claude|copilot|gemini|assistants?)\s?[:,!]"
        r"(?=[^\n]{0,200}\b(?:you|your|must|should|please|do not|always|never|ignore|say|respond|include"
        r"|recommend|rate)\b)"
        r"|\bif you(?: are|['’]re) an? (?:ai|llm|(?:large )?language model|ai (?:assistant|model|agent)|chatbot"
        r"|assistant)\b"
        r"[^.\n]{0,80}\b(?:must|should|please|say|respond|reply|include|ignore|recommend|write|output|print|add"
        r"|then|you)\b",
    ),
    "steers the answer": _sign(
        "your response|your reply|your answer|your output|your message|your summary|your final",
        r"(?:^|[.!?:;>]\s{1,3}|[\"'(*-]\s?)(?:please |then |also |and |always |now ){0,2}(?:add|include|append"
        r"|integrate|insert|mention|augment|enhance|embed|"
        r"incorporate|modify|replace|substitute|scramble|rearrange|jumble|misspell|shuffle|convert|render"
        r"|encode|translate|remove|combine|group|"
        r"anagram|provide|introduce|end|begin|start|finish|conclude|prefix"
        r"|use)\b(?:[^.!?\n]|\.(?=\S)){0,80}?\byour(?: \w{1,12})? (?:response|reply|answer|output|message|summary)"
        r"(?:['’]s)?\b(?!(?: \w{1,12})? (?:plan|team|time|strateg|process|procedure|effort|action|rate|code"
        r"|capabilit|quality|playbook|cache|protocol|header|"
        r"body|model|object|format|schema|size|length|window|status|queue|type|stream|file|port|folder|director"
        r"|to (?:a|an|the) (?:incident|event|disaster)))"
        r"|(?:^|[.!?:;]\s{1,3})in your (?:response|reply|answer|output|summary), (?:please )?(?:suggest|tease"
        r"|mention|include|add|recommend|say|tell|use|replace|promote)",
    ),
    "demand": _sign(
        "just say|just output|just print|only output|instead|repeat after|say that you|stop|say yes|state that"
        "|imagine you|now you are|you are now|now write",
        r"\b(?:just|only|instead) (?:say|print|output|write)\b|\brepeat after me\b"
        r"|\binstead,? (?:of \w+ )?(?:print|say|output|write)\b"
        r"|\bstop ?[-:,] ?(?:write|print|say)\b|[.!] ?(?:now )?write (?:a|an|me) [^.\n]{0,40}(?:why|about"
        r"|for the|for leaving)\b"
        r"|\bsay (?:that you (?:hate|love)|yes)\b|^state that\b|\bimagine you are\b|\bnow you are\b|\byou are now\b",
        1,
    ),
    "break": _sign(
        "well done|very good|great|excellent|is enough|new task|further task|another task|help me with|own knowledge"
        "|provided|written above|all p|any p|question",
        r"\b(?:well done|very good|simply great|excellent performance|that is (?:enough"
        r"|done))\b[^\n]{0,60}\b(?:now|that is)\b"
        r"|\b(?:new|further|another) tasks?\b[^\n]{0,12}\b(?:follow|\.|:)|\bhelp me with the following\b"
        r"|\banswer by your own knowledge\b"
        r"|\bdo ?n[o']t (?:answer|look|use)[^.\n]{0,40}\b(?:question|documents|articles)\b|\bwhat is written above\b"
        r"|\b(?:all|any) (?:previous|prior|preceding|earlier) (?:instructions|prompts|orders|commands"
        r"|information|tasks)\b",
        1,
    ),
    "chat markup": _sign(
        "<¦|[inst]|[/inst]|<<sys>>|</system>|[system]|# instruction:|system: ",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|?>?|\[/?inst\]|<<sys>>"
        r"|</system>|^\[system\]|"
        r"^#{2,4} ?instruction: ?$|^[\"'> ]{0,3}system: ?(?:you|new|override|ignore)",
        2,
    ),
}


def find_injections(text: str) -> list[Suspicion]:
    """Where the text speaks to a model, in order. One sign that is weak by itself needs another one near by."""
    folded = (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower().replace("’", "'")
    found = sorted(_found(folded))
    result: list[Suspicion] = []
    for at, (start, kind, weight) in enumerate(found):
        near = {other: w for position, other, w in found[max(0, at - 4) : at + 5] if abs(position - start) <= _STRETCH}
        if weight >= _ENOUGH or sum(near.values()) >= _ENOUGH:
            result.append(Suspicion(kind, folded.count("\n", 0, start) + 1))
    return list(dict.fromkeys(result))


def _found(folded: str) -> Iterator[tuple[int, str, int]]:
    demanded = False
    for kind, sign in SIGNS.items():
        if kind == "break" and not demanded:
            continue  # two weak signs are wanted, and there are only two
        for start, end in _lines_with(folded, sign.stems):
            for match in sign.pattern.finditer(folded, start, end):
                # What stands in quotes is talked about, as in a page on this very subject.
                if folded[max(0, match.start() - 1) : match.start()] not in _QUOTES:
                    demanded |= kind == "demand"
                    yield match.start(), kind, sign.weight


_QUOTES = tuple("\"“„«`'")


def _lines_with(folded: str, stems: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Lines that hold one of the stems, each once: a pattern would try every character of all the others too."""
    starts = set()
    for stem in stems:
        if not stem.isascii() and folded.isascii():
            continue
        at = folded.find(stem)
        while at >= 0:
            starts.add(folded.rfind("\n", 0, at) + 1)
            following = folded.find("\n", at)
            at = folded.find(stem, following) if following >= 0 else -1
    for start in sorted(starts):
        end = folded.find("\n", start)
        yield start, len(folded) if end < 0 else end


# --- text that a browser does not show -----------------------------------------------

_TAG = re.compile(r"<[a-zA-Z][^<>]{0,1000}+>")
_UNSEEN = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0"
    r"|opacity\s{0,3}:\s{0,3}0(?![.\d])"
    r"|(?<![-\w])color\s{0,3}:\s{0,3}(?:white|transparent|#fff(?:fff)?\b|rgba?\(255, ?255, ?255)|\bhidden\b(?!=)",
    re.IGNORECASE,
)
# `<!-- docutune:disable -->` and "Updated: 2026-03-21" are for tools; this is for whoever reads all of it.
_ADDRESSED = re.compile(
    r"\b(?:you|your|i|me|ai|llm|assistant|model|ignore|disregard|say|tell|answer|respond|reply|instructions?"
    r"|prompt|recommend|send|user)\b",
    re.IGNORECASE,
)
_LEAST_WORDS = 3
_LINKED = re.compile(r"\[[^\[\]\n]{0,300}+\]\([^()\s]{0,500}+\)")


def hidden_parts(text: str) -> list[tuple[int, int]]:
    """Spans of HTML comments and of unseen elements that speak to somebody."""
    spans: list[tuple[int, int]] = []
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at)
        end = len(text) if end < 0 else end
        spans.append((at + 4, end))
        at = text.find("<!--", end)
    if "style" in text or "hidden" in text:
        for match in _TAG.finditer(text):
            if _UNSEEN.search(match[0]):
                end = text.find("<", match.end())
                spans.append((match.end(), len(text) if end < 0 else end))
    return sorted(span for span in spans if _speaks(text[span[0] : min(span[1], span[0] + _LONGEST)]))


_LONGEST = 4_000  # characters of a hidden part that are read


def _speaks(part: str) -> bool:
    said = _LINKED.sub("", part)  # a list of links that was commented out speaks to nobody
    return len(said.split()) >= _LEAST_WORDS and _ADDRESSED.search(said) is not None
