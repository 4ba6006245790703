"""Templates: forms of sentences and of layout that answer a question, and the question that each answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from genaiops.golden_sets.drafting.passages import Draft, Passage, capitalised, plain, uncapitalised
from genaiops.golden_sets.linting.questions import subjects
from genaiops.words import content_words

_THING = r"(?:`[^`]{1,40}`|[A-Za-z][\w'/-]*)(?: (?:`[^`]{1,40}`|[\w'/-]+)){0,3}"
_VAGUE = frozenset("""
    result results other others first second third last next same following reason idea only best rest answer aim goal
    difference point purpose problem question most least latter former above below example case cases way thing one
    more less right wrong default number value name output input change cost price use limit two three part parts text
""".split())  # fmt: skip
_DEFINED = re.compile(
    rf"(?P<article>An?|The) (?P<thing>{_THING}) (?P<verb>is|are) "
    r"(?P<rest>(?:an?|the|one|what|how|where|whatever) .{15,})\.$"
)
_DOES = re.compile(r"(?P<thing>`[^`]{2,60}`) (?P<verb>[a-z]{3,}s) (?P<rest>.{12,})\.$")
_DOING = frozenset("""
    accepts adds allows answers appends applies asks bounds builds calls changes checks chooses cleans compares computes
    controls converts copies counts creates cuts decides defines deletes describes disables downloads drops embeds
    enables ends enforces erases evaluates exports fails fetches filters finds fixes forces gives grants groups holds
    ignores imports installs joins keeps lets limits lists loads lowers maps marks masks matches means measures merges
    moves names needs opens overrides prints protects publishes puts raises reads redacts refuses registers rejects
    removes reorders repairs repeats replaces reports requires restarts restores returns rewards runs saves says scores
    searches selects sends sets shows signs skips sorts splits stands starts stops stores takes tells tests tracks
    trades turns updates uses validates verifies waits warns writes
""".split())  # fmt: skip
_IF = re.compile(r"(?P<word>If|When|Whenever) (?P<clause>[^,;:]{8,90}), (?:then )?(?P<rest>.{15,})\.$")
# A clause without a subject, or one that ends in a list which its first comma cuts.
_BROKEN = re.compile(r"^\w+ed\b|\b(?:like|such as|for example)\b")
_LISTED = re.compile(r"[^,]{1,60}, (?:and|or)\b|for (?:example|instance)\b", re.IGNORECASE)
_WHY = re.compile(
    r"(?P<subject>(?:The |An? )?[^,;:.]{2,45}?) (?P<verb>is|are|can|cannot|must|should) (?P<rest>[^,;:.]{4,80}?),? "
    r"because (?P<why>.{12,})\.$"
)
# "The export fails because …": a verb that needs no object, right before its reason.
_FAILS_WHY = re.compile(
    r"(?P<subject>(?:The|An?) [^,;:.]{2,45}?) (?P<verb>breaks|crashes|ends|expires|fails|falls|grows|hangs|pauses|"
    r"rises|shrinks|starts|stops|waits|works) because (?P<why>.{12,})\.$"
)
_BASE = {"crashes": "crash"}  # of those verbs whose base form is not theirs without the s
# The state of a named thing stands for itself in two words: "the disk is full".
_STATE = re.compile(r"(?:the|an?) (?P<thing>[\w'/-]+) (?:is|are) [\w'/-]+", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:who|whose|whoever|which|where|is|are|was|were|if|when)\b", re.IGNORECASE)
_POINTING = re.compile(r"\b(?:it|its|this|that|these|those|they|them|their|such|here|there|one|both)\b", re.IGNORECASE)
_VERBS = frozenset("""
    add adopt align apply ask assess assign avoid build call capture change check choose combine commit compare
    configure consider copy count create define delete deploy design determine disable do document don't drop
    edit enable ensure establish evaluate factor fix focus follow give identify ignore implement include
    increase install keep leave let limit look lower make mark measure monitor move name never open pass plan
    prefer prioritize provide put quote raise read reduce remove replace report restart restrict review run say
    schedule see select set signal skip split start stop store take tell test treat try turn understand update
    use validate verify wait write
""".split())  # fmt: skip
_SWAPS = tuple(
    (re.compile(rf"\b{said}", re.IGNORECASE), asked)
    for said, asked in (
        (r"you are\b", "I am"), (r"you['’]re\b", "I'm"), (r"yours\b", "mine"), (r"your\b", "my"), (r"you\b", "I"),
    )
)  # fmt: skip
_HOW_TO = re.compile(r"(?:\d+[.)] )?How to (?P<what>[a-z][^?:]{3,80})$", re.IGNORECASE)
_ASKING = re.compile(
    r"(?P<word>What|When|Where|Which|How often|How many|How much|How long) "
    r"(?P<verb>to|is|are|does|do|can|should|must) (?P<rest>[^?:,]{3,80})$"
)
_ASKED = re.compile(r"(?:What|When|Where|Which|Who|Why|How|Is|Are|Can|Do|Does|Must|Should)\b[^?]{6,120}\?$")
_ANSWERED_BY = 8  # words of a sentence that may answer a heading
_MOST_STEPS = 4
_SHORT_TITLE = 3  # words
_TELLING = 3  # words with a meaning of their own in a condition that stands for itself


def definitions(passage: Passage) -> Iterator[Draft]:
    """ "A run is one evaluation." answers "What is a run?"."""
    for sentence in passage.sentences("prose"):
        found = _DEFINED.match(plain(sentence))
        if found is None or _is_vague(found["thing"]) or _POINTING.search(found["thing"]):
            continue
        if found["rest"].startswith("an error"):  # "An unknown key is an error" defines no key
            continue
        article = found["article"].lower()
        question = f"What {found['verb']} {article} {found['thing']}?"
        yield _draft("definition", passage, question, plain(sentence), sentence)


def what_it_does(passage: Passage) -> Iterator[Draft]:
    """ "`genaiops gc` removes old indexes." answers "What does `genaiops gc` do?"."""
    for sentence in passage.sentences("prose", "item"):
        found = _DOES.match(plain(sentence))
        if found is None or found["verb"] not in _DOING or _POINTING.search(found["rest"][:25]):
            continue
        verb = {"means": "mean", "stands": "stand for"}.get(found["verb"], "do")
        # A bare word such as `title` says little without what the page is about.
        bare = found["thing"].strip("`").isalpha()
        if bare and len(passage.title.split()) > _SHORT_TITLE:
            continue
        where = f" in {uncapitalised(passage.title, passage.text)}" if bare else ""
        yield _draft("purpose", passage, f"What does {found['thing']} {verb}{where}?", plain(sentence), sentence)


def conditions(passage: Passage) -> Iterator[Draft]:
    """ "If the disk is full, the build stops." answers "What happens if the disk is full?"."""
    for sentence in passage.sentences("prose", "item"):
        found = _IF.match(plain(sentence))
        if found is None or _POINTING.search(found["clause"]) or _POINTING.match(found["rest"]):
            continue
        if " than " in found["clause"] or "; if " in found["rest"] or _BROKEN.search(found["clause"]):
            continue
        if _LISTED.match(found["rest"]):
            continue
        state = _STATE.fullmatch(found["clause"])
        stands = state is not None and not _is_vague(state["thing"])
        if len(subjects(found["clause"])) < _TELLING - stands:  # "when the total grows": of what?
            continue
        clause, rest = _as_asked(found["clause"]), found["rest"]
        advice = rest.split(" ", 1)[0].lower().replace("’", "'") in _VERBS
        if clause.split(" ", 1)[0].endswith("ing") and not advice:
            continue
        word = "if" if found["word"] == "If" else "when"
        question = f"What should I do {word} {clause}?" if advice else f"What happens {word} {clause}?"
        yield _draft("condition", passage, question, f"{capitalised(rest)}.", sentence)


def reasons(passage: Passage) -> Iterator[Draft]:
    """ "Evidence is anchored in documents because chunks change." answers "Why is evidence anchored in documents?"."""
    for sentence in passage.sentences("prose"):
        found, rest = _WHY.match(plain(sentence)), ""
        if found is not None:
            rest = found["rest"]
        elif (found := _FAILS_WHY.match(plain(sentence))) is None:
            continue
        said = f"{found['subject']} {rest}"
        if len(found["subject"].split()) > 6 or _POINTING.search(said) or _CLAUSE.search(said):
            continue
        subject, verb = _as_asked(uncapitalised(found["subject"], passage.text)), found["verb"].replace("cannot", "can")
        if not rest:
            rest, verb = _BASE.get(verb, verb.removesuffix("s")), "does"
        elif found["verb"] == "cannot":
            rest = f"not {rest}"
        question = f"Why {_agreeing(verb, subject)} {subject} {_as_asked(rest)}?"
        yield _draft("reason", passage, question, f"Because {found['why']}.", sentence)


def headings(passage: Passage) -> Iterator[Draft]:
    """ "## How to add a case" asks "How do I add a case?", and its first whole sentence begins the answer."""
    question = _question_of(plain(passage.section.title))
    if not question or _POINTING.search(question):
        return
    asked = set(content_words(question))
    for sentence in passage.sentences("prose"):
        answers = sentence.endswith((".", "!")) and not asked.isdisjoint(content_words(sentence))
        if answers and len(sentence.split()) >= _ANSWERED_BY and not _POINTING.match(sentence):
            yield _draft("heading", passage, question, plain(sentence), sentence)
            return


def steps(passage: Passage) -> Iterator[Draft]:
    """A numbered list under "How to …" is its answer, when it has two to four items."""
    found = _HOW_TO.match(plain(passage.section.title))
    if found is None:
        return
    numbered = [
        passage.text[s.start : s.end]
        for s in passage.section.sentences
        if s.kind == "item" and re.search(r"\d[.)][ \t]+\Z", passage.text[max(0, s.start - 6) : s.start])
    ]
    if 2 <= len(numbered) <= _MOST_STEPS:
        reference = " ".join(f"{number}. {plain(item)}" for number, item in enumerate(numbered, start=1))
        question = f"What are the steps to {_as_asked(found['what'])}?"
        yield Draft("steps", passage.document, passage.section.title, question, reference, tuple(numbered))


_COLUMNS = {  # header of a column → question about the key of its row
    "default": "What is the default of {key}?", "does": "What does {key} do?", "what it does": "What does {key} do?",
    "purpose": "What is {key} for?", "meaning": "What does {key} mean?", "means": "What does {key} mean?",
    "use it when": "When should I use {key}?", "when to use": "When should I use {key}?",
    "when to use it": "When should I use {key}?", "use": "What is {key} used for?",
    "remedy": "What helps against {key}?",
    "cause": "What causes {key}?", "limit": "What is the limit of {key}?", "unit": "In which unit is {key} given?",
    "range": "In what range may {key} lie?", "example": "What is an example of {key}?",
}  # fmt: skip


# Headers that name a property of what the first cell names; a closed list: no verb, no "test", no "found".
_PROPERTIES = frozenset("""
    address age amount author capacity category city code colour color contact cost country currency date deadline
    department deposit depth distance duration email fee frequency height interval language length location manager
    maximum minimum model owner penalty period phone population power price priority rate rent role salary
    severity size speed status storage supplier temperature term volume version warranty weight width
""".split())  # fmt: skip


def _form_of(header: str) -> str:
    """The question about a cell under this header; "" where the templates do not know it."""
    asked = f"What is the {header} of {{key}}?" if header in _PROPERTIES else ""
    return _COLUMNS.get(header, asked)


def tables(passage: Passage) -> Iterator[Draft]:
    """A cell under a header such as "default" or "price" answers a question about the first cell of its row."""
    header: list[str] = []
    for row in passage.sentences("row"):
        cells = [plain(cell).strip() for cell in row.strip().strip("|").split("|")]
        if not header or len(cells) != len(header):
            header = [cell.lower() for cell in cells]
            continue
        for name, cell in list(zip(header, cells, strict=True))[1:]:
            form = _form_of(name)
            if form and re.search(r"[^\W\d_]", cells[0]) and len(cell) > 1 and len(cells[0]) <= 60:
                question = form.format(key=cells[0])
                yield _draft("table", passage, question, f"{capitalised(cell.rstrip('.'))}.", row)


Template = Callable[[Passage], Iterator[Draft]]
TEMPLATES: dict[str, Template] = {  # the most telling first: of two about one sentence the first is kept
    "reason": reasons,
    "steps": steps,
    "definition": definitions,
    "table": tables,
    "condition": conditions,
    "purpose": what_it_does,
    "heading": headings,
}


def _draft(template: str, passage: Passage, question: str, reference: str, quote: str) -> Draft:
    return Draft(template, passage.document, passage.section.title, question, reference, (quote,))


def _question_of(title: str) -> str:
    """A heading as a question; "" when it is none."""
    if _ASKED.match(title):
        return title
    if how := _HOW_TO.match(title):
        return f"How do I {_as_asked(how['what'])}?"
    found = _ASKING.match(title)
    if found is None:
        return ""
    word, verb, rest = found["word"], found["verb"], _as_asked(found["rest"])
    return f"{word} should I {rest}?" if verb == "to" else f"{word} {verb} {rest}?"


def _as_asked(text: str) -> str:
    """What is said to a reader, as the reader asks it: "your" becomes "my"."""
    for said, asked in _SWAPS:
        text = said.sub(asked, text)
    return text


def _agreeing(verb: str, subject: str) -> str:
    return "am" if subject == "I" and verb in ("is", "are") else verb


def _is_vague(thing: str) -> bool:
    """Whether a thing has no name of its own: its last word, or its only one, points at others."""
    said = thing.lower().split()
    return said[-1] in _VAGUE or said[0] in _VAGUE
