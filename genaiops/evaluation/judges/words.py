"""What a sentence says, in words: content stems, numbers, names and whether it denies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from genaiops.words import stem

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
MARKER = re.compile(r"\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\](?!\()")  # [1], [2, 3]; but not the text of a Markdown link


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FUNCTION_WORDS = frozenset(
    _words("""
    a about above across after again against all almost along already also although always am among an and another
    any anyone anything are around as at away back be became because become been before behind being below between
    both but by came can come could did do does doing done down during each either else enough especially etc even
    ever every everyone everything few for from further get gets getting give given go goes going got had has have
    having he hence her here hers herself him himself his how however i if in indeed instead into is it its itself
    just keep kept kind know known let like made mainly make makes many may maybe me might mine more moreover most
    mostly much must my myself near nearly next now of off often on once one only onto or other others otherwise
    our ours ourselves out over own per perhaps put quite rather really s said same say says see seem seemed seems
    several shall she should since so some someone something sometimes somewhat soon still such t take taken than
    that the their theirs them themselves then there therefore these they thing things this those though through
    thus to together too toward towards under until up upon us use used uses using usually various very via was
    way we well went were what whatever when where whether which while who whoever whole whom whose why will with
    within would yes yet you your yours yourself
    """)
)
NEGATIONS = frozenset(
    _words("""
    no not never none nobody nothing neither nor cannot without lack lacks lacked lacking fail fails failed hardly
    barely unable absent absence
    """)
)
# "No, the office is open" affirms what follows.
INTERJECTION = re.compile(r"^\W*(?:no|yes|yeah|nope)\b(?=\s*[,.!;]|\s+but\b)", re.IGNORECASE)
DOUBLED = re.compile(r"^[^aeiou]*[aeiou][bdgnpt]$")  # big, bigger
REACH_OF_NEGATION = 3  # content words after a "not" that it denies
# From two on: "one" is mostly a pronoun.
SMALL_NUMBERS = {
    word: str(value)
    for value, word in enumerate(
        _words("""
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty
        """),
        start=2,
    )
}
OPPOSITES = _words("""
    increase/decrease increase/reduce raise/lower rise/fall grow/shrink gain/lose more/less more/fewer
    higher/lower high/low large/small big/little long/short fast/slow early/late old/new old/young best/worst
    better/worse top/bottom first/last before/after begin/end start/stop start/finish open/close enter/leave
    arrive/depart enable/disable enable/prevent allow/prohibit allow/forbid permit/forbid require/optional
    include/exclude accept/reject pass/fail succeed/fail win/lose true/false positive/negative active/inactive
    active/passive presence/absence present/absent major/minor maximum/minimum most/least always/never all/none
    inside/outside internal/external above/below up/down north/south east/west left/right public/private
    legal/illegal safe/dangerous strong/weak rich/poor hot/cold male/female promote/inhibit activate/inhibit
    induce/suppress stimulate/inhibit enhance/impair improve/worsen upregulate/downregulate beneficial/harmful
    benefit/harm protect/expose attract/repel expand/contract import/export buy/sell synchronous/asynchronous
    manual/automatic static/dynamic temporary/permanent common/rare simple/complex efficient/inefficient
    dependent/independent sensitive/resistant sensitive/insensitive encourage/discourage support/oppose
    agree/disagree love/hate easy/difficult add/remove create/delete connect/disconnect mount/unmount
    encrypt/decrypt upgrade/downgrade known/unknown same/different
""")

# Which way a sentence says that something goes; words that belong to both sides ("protect") are in neither.
RISING = _words("""
    increase raise rise grow growth elevate elevated enhance boost promote stimulate activate activation induce
    upregulate improve improvement strengthen amplify accelerate expand gain higher greater more large high positive
    positively facilitate enable augment potentiate strong stronger longer better rose risen grew grown induction
    climb heighten foster encourage
""")
FALLING = _words("""
    decrease reduce reduction lower decline fall drop inhibit inhibition suppress suppression impair block prevent
    limit diminish attenuate weaken downregulate deactivate inactivate delay slow shrink loss lose less fewer low
    negative negatively hinder abolish abrogate lack deficient worse weak weaker shorter poor fell fallen lost
    lessen worsen deteriorate degrade restrict curtail hamper repress deplete antagonize discourage
""")
REACH_OF_DIRECTION = 4  # words after a "not" whose direction it turns round


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence as words.

    `content` holds the stems of content words in order (numbers and names among them),
    `stems` the same as a set; `numbers` and `names` are subsets. `denied` are the stems
    that a word like "not" stands before; `polar` the stems, of function words too, that
    have an opposite. `direction` is in [-1, 1]: 1 where all its words of direction say
    more, -1 where all say less, a "not" before them counted.
    """

    content: tuple[str, ...]
    stems: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    denied: frozenset[str]
    polar: frozenset[str]
    direction: float = 0.0


@lru_cache(maxsize=1)
def opposites() -> dict[str, frozenset[str]]:
    """Stem to the stems of its opposites, in both directions."""
    table: dict[str, set[str]] = {}
    for pair in OPPOSITES:
        one, other = pair.split("/")
        for form, other_form in zip(_forms(one), _forms(other), strict=True):
            table.setdefault(stem(form), set()).add(stem(other_form))
            table.setdefault(stem(other_form), set()).add(stem(form))
    return {word: frozenset(others) for word, others in table.items()}


def _forms(word: str) -> tuple[str, str, str]:
    """A word as it stands, compared and at its height: long, longer, longest. The stemmer leaves these apart.

    Made for short adjectives; of other words it makes strings that no text holds.
    """
    if word.endswith("e"):
        root = word[:-1]
    elif word.endswith("y"):
        root = word[:-1] + "i"
    else:
        root = word + word[-1] if DOUBLED.search(word) else word
    return word, root + "er", root + "est"


def without_markers(text: str) -> str:
    """`text` with citation markers replaced by spaces: every other character keeps its place."""
    return MARKER.sub(lambda match: " " * len(match.group()), text)


def negates(word: str) -> bool:
    """Whether a word, in small letters, turns round what follows: "not", "never", "doesn't"."""
    return word in NEGATIONS or word.endswith("n't")


@lru_cache(maxsize=1)
def _directions() -> dict[str, int]:
    """Stem to 1 (more) or -1 (less)."""
    return {**{stem(word): 1 for word in RISING}, **{stem(word): -1 for word in FALLING}}


def _direction(text: str) -> float:
    table = _directions()
    total = count = turned = 0
    for token in TOKEN.findall(text):
        word = token.lower()
        if negates(word):
            turned = REACH_OF_DIRECTION
            continue
        if sign := table.get(stem(word), 0):
            total += -sign if turned else sign
            count += 1
        turned = max(0, turned - 1)
    return total / count if count else 0.0


@lru_cache(maxsize=50_000)
def words_of(sentence: str) -> Words:
    """The content stems, numbers, names and denied stems of one sentence."""
    content: list[str] = []
    numbers: set[str] = set()
    names: set[str] = set()
    denied: set[str] = set()
    polar: set[str] = set()
    denying = 0  # how many more content words the last negation covers
    plain = INTERJECTION.sub("", sentence)
    for position, token in enumerate(TOKEN.findall(plain)):
        word = token.lower().replace("’", "'").removesuffix("'s")
        if token[0].isdigit() or word in SMALL_NUMBERS:
            number = SMALL_NUMBERS.get(word) or canonical_number(token)
            content.append(number)
            numbers.add(number)
            continue
        if negates(word):
            denying = REACH_OF_NEGATION
            continue
        stemmed = stem(word)
        if stemmed in opposites():
            polar.add(stemmed)
        if word in FUNCTION_WORDS or "'" in word or len(word) == 1:
            continue
        content.append(stemmed)
        if denying:
            denied.add(stemmed)
            denying -= 1
        if token[0].isupper() and (position > 0 or token[1:] != word[1:]):
            names.add(stemmed)
    ordered = tuple(content)
    return Words(
        ordered,
        stems=frozenset(ordered),
        numbers=frozenset(numbers),
        names=frozenset(names),
        denied=frozenset(denied),
        polar=frozenset(polar),
        direction=_direction(plain),
    )


def canonical_number(token: str) -> str:
    """`1,000` and `1000`, `2.50` and `2.5` are the same number."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", token):
        token = token.replace(",", "")
    return token.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", token) else token
