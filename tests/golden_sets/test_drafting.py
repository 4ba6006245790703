"""Templates and models draft cases; what is trivial, known or cannot be told apart is left out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from genaiops.golden_sets import GoldenSet, check, lint
from genaiops.golden_sets.drafting import TEMPLATES, Draft, Known, choose, drafts
from genaiops.golden_sets.drafting.asking import LONGEST_WINDOW, Window, ask, read_reply, windows
from genaiops.golden_sets.drafting.choosing import case_from
from genaiops.records import Case, Chunk, Document, Evidence, Message

STORAGE = """\
# Winter storage

A storage hook is the steel bracket that holds a bicycle by its front wheel.

If frost reaches the battery cells, your warranty ends on the same day.
If you leave a charged battery in the shed, take it out before the first frost.
It ends at once. If it rains, nothing happens to the frame of a bicycle at all.

A chain is oiled twice because dry links rust within a few weeks.

`bike store` moves a bicycle from the workshop to the cellar.

## How to hang a bicycle

1. Remove both batteries and the lamp.
2. Lift the front wheel over the hook.

## What is stored in the cellar

The cellar is where customers' bicycles stand from November to March, in rows of ten.

| setting | default | meaning |
|---|---|---|
| shelf life | 14 weeks | how long a bicycle may stay in the cellar |

```
If a fence holds text, nobody asks about it.
```
"""
OTHER = """\
# Ferries

A boarding lane is the strip of asphalt on which cars queue for the ferry.

If fog closes the northern harbour, every crossing moves to the southern pier.
"""
TEXTS = {"storage.md": STORAGE}


def questions(text: str = STORAGE) -> dict[str, Draft]:
    return {draft.question: draft for draft in drafts({"storage.md": text})}


def test_each_template_asks_what_its_sentence_answers() -> None:
    found = questions()
    assert {draft.template for draft in found.values()} == set(TEMPLATES)
    assert {question: draft.reference for question, draft in found.items()} == {
        "What is a storage hook?": "A storage hook is the steel bracket that holds a bicycle by its front wheel.",
        "What happens if frost reaches the battery cells?": "Your warranty ends on the same day.",
        "What should I do if I leave a charged battery in the shed?": "Take it out before the first frost.",
        "What does `bike store` do?": "`bike store` moves a bicycle from the workshop to the cellar.",
        "What are the steps to hang a bicycle?":
            "1. Remove both batteries and the lamp. 2. Lift the front wheel over the hook.",
        "What is stored in the cellar?":
            "The cellar is where customers' bicycles stand from November to March, in rows of ten.",
        "What is the cellar?": "The cellar is where customers' bicycles stand from November to March, in rows of ten.",
        "What is the default of shelf life?": "14 weeks.",
        "What does shelf life mean?": "How long a bicycle may stay in the cellar.",
        "Why is a chain oiled twice?": "Because dry links rust within a few weeks.",
    }  # fmt: skip


def test_what_is_said_to_a_reader_is_asked_by_one() -> None:
    text = "If you're late with **your** [ferry](x.md) *ticket*, you've lost the place that you paid for.\n"
    assert list(questions(text)) == ["What happens if I'm late with my ferry ticket?"]


def test_a_reason_is_turned_into_a_question() -> None:
    text = (
        "# Care\n\nThe chain is oiled twice because dry links rust within a few weeks.\n\nDo not ride because of it.\n"
    )
    (draft,) = (d for d in questions(text).values() if d.template == "reason")
    assert draft.question == "Why is the chain oiled twice?"
    assert draft.reference == "Because dry links rust within a few weeks."


SMALL = """\
| Name | Size | Owner |
|---|---|---|
| Alpha | 10 GB | Ada |
| Beta | 20 GB | Ben |
| Gamma | 30 GB | Cleo |

The export fails because the quota is used up. If the disk is full, delete the old exports and start the job again.
"""


def test_a_small_document_without_a_heading_has_its_table_reason_and_condition_proposed() -> None:
    choice = choose(drafts({"small.md": SMALL}), {"small.md": SMALL}, Known(()), limit=9, per_document=9)
    assert {case.question: case.reference for case, _, _ in choice.cases} == {
        "Why does the export fail?": "Because the quota is used up.",
        "What should I do if the disk is full?": "Delete the old exports and start the job again.",
        "What is the size of Alpha?": "10 GB.",
        "What is the size of Beta?": "20 GB.",
        "What is the size of Gamma?": "30 GB.",
    }


@pytest.mark.parametrize(
    "text",
    [
        "When the total grows, the page shows less of all its columns.",
        "If the value is wrong, the page shows less of all its columns.",
        "| format | reads | found |\n|---|---|---|\n| folder | many files | all of them |",
        "This is the reason.",
        "The result is the thing that you wanted all along.",
        "If it rains, the frame of the bicycle stays dry for a while.",
        "An unknown key is an error that names its line.",
        "Bicycles are nice. They are the best.",
        "When you handle tasks like riding on wet roads, braking, and turning, go slowly at first.",
        "When deployed within a closed harbour network, the gate needs a second key.",
        "## How to tell that something went wrong\n\nSomething went wrong when all lamps of the gate are red.",
        "- item\n- item",
        "",
        "\x00" * 50,
        "# " * 5000,
        "If " * 5000 + ".",
        "a " * 20000 + "because " * 2000 + "b.",
    ],
)
def test_sentences_that_stand_for_nothing_alone_make_no_draft(text: str) -> None:
    assert questions(text) == {}


def test_every_choice_passes_lint_and_quotes_once() -> None:
    choice = choose(drafts(TEXTS), TEXTS, Known(()), limit=50, per_document=50)
    golden = GoldenSet("drafted", tuple(case for case, _, _ in choice.cases))
    documents = [Document("storage.md", STORAGE)]
    check(golden, documents)
    assert lint(golden, documents) == []
    assert len(golden) >= 6
    assert all(STORAGE.count(item.quote) == 1 for case in golden for item in case.evidence)
    assert len({item.quote for case in golden for item in case.evidence}) == sum(len(c.evidence) for c in golden)
    assert "What does shelf life mean?" not in {case.question for case in golden}  # its row is quoted already


def test_bounds_hold_and_what_waits_counts_towards_them() -> None:
    texts = {**TEXTS, "other.md": OTHER}
    assert len(choose(drafts(texts), texts, Known(()), limit=1, per_document=9).cases) == 1
    few = choose(drafts(TEXTS), TEXTS, Known(()), limit=9, per_document=2).cases
    assert len(few) == 2
    waiting = tuple(case for case, _, _ in few)
    assert choose(drafts(TEXTS), TEXTS, Known((), waiting), limit=9, per_document=2).cases == []
    assert len(choose(drafts(TEXTS), TEXTS, Known((), waiting), limit=9, per_document=3).cases) == 1


def test_what_was_asked_waits_or_was_rejected_is_not_proposed_again() -> None:
    everything = [case for case, _, _ in choose(drafts(TEXTS), TEXTS, Known(()), limit=50, per_document=50).cases]
    for known in (Known(tuple(everything)), Known((), tuple(everything)), Known((), (), tuple(everything))):
        assert choose(drafts(TEXTS), TEXTS, known, limit=50, per_document=500).cases == []
    hand = Case("hand", "Anything else?", evidence=(Evidence("storage.md", "holds a bicycle by its front wheel"),))
    asked = {
        case.question for case, _, _ in choose(drafts(TEXTS), TEXTS, Known((hand,)), limit=50, per_document=50).cases
    }
    assert "What is a storage hook?" not in asked


def test_documents_without_a_case_come_first() -> None:
    texts = {"a.md": STORAGE, "b.md": OTHER}
    known = Known((Case("x", "Anything?", evidence=(Evidence("a.md", "rows of ten"),)),))
    first, *_ = choose(drafts(texts), texts, known, limit=9, per_document=9).cases
    assert first[0].evidence[0].document == "b.md"


def test_the_same_question_with_two_answers_is_left_out() -> None:
    texts = {"a.md": STORAGE, "b.md": STORAGE.replace("steel bracket", "wooden bar")}
    choice = choose(drafts(texts), texts, Known(()), limit=50, per_document=50)
    assert "What is a storage hook?" not in {case.question for case, _, _ in choice.cases}
    assert choice.left_out["several answers"] > 0


def test_questions_that_retrieval_cannot_tell_apart_are_left_out_and_the_rank_is_noted() -> None:
    chunk = Chunk("storage.md", 0, len(STORAGE), STORAGE, "s", STORAGE)
    one = choose(drafts(TEXTS), TEXTS, Known(()), limit=50, per_document=50, search=lambda question: [chunk])
    assert [note for _, _, note in one.cases] == ["the flow finds it at rank 1"]
    assert one.left_out["cannot be told apart"] > 3
    none = choose(drafts(TEXTS), TEXTS, Known(()), limit=50, per_document=50, search=lambda question: [])
    assert {note for _, _, note in none.cases} == {"the flow does not find it"}


def test_the_same_draft_has_the_same_id_and_ids_are_printable() -> None:
    one, two = ({case_from(draft).id for draft in drafts({name: STORAGE})} for name in ("storage.md", "x/ü \x1b.md"))
    assert one == {case_from(draft).id for draft in drafts(TEXTS)}
    assert all(name.isascii() and name.isprintable() and " " not in name for name in one | two)


# --- by a model -------------------------------------------------------------------

WINDOW = Window("storage.md", "Winter storage", STORAGE)


def replying(*rows: object) -> str:
    return "Sure!\n```json\n" + json.dumps({"cases": rows}) + "\n```"


def test_quotes_of_a_model_are_verbatim_and_occur_once_or_are_left_out() -> None:
    good = {
        "question": " How  do I\nhang it? ",
        "answer": "On the hook.",
        "quote": "Lift the front wheel over the hook.",
    }
    invented = {**good, "quote": "lift the front wheel over the hook."}
    repeated = {**good, "quote": "battery"}
    reply = read_reply(replying(good, invented, repeated), WINDOW)
    assert [(d.question, d.quotes) for d in reply.drafts] == [("How do I hang it?", (good["quote"],))]
    assert reply.left_out == {"quote not in the document": 2}


@pytest.mark.parametrize("said", ["", "no", "{", "[1]", '{"cases": 3}', "{}" * 3, '{"a": ' * 5000, "\x00{}"])
def test_garbage_of_a_model_is_counted_and_never_a_crash(said: str) -> None:
    reply = read_reply(said, WINDOW)
    assert (reply.drafts, reply.is_garbage) == ([], True)


@pytest.mark.parametrize("row", [1, {}, {"question": 1, "answer": "a", "quote": "q"}, {"question": "q"}, None])
def test_a_case_that_is_none_is_counted(row: object) -> None:
    assert read_reply(replying(row), WINDOW).left_out == {"unreadable case": 1}


def test_the_passage_stands_behind_a_fresh_mark_and_the_instructions_before_it_never_change() -> None:
    seen: list[Sequence[Message]] = []

    def complete(messages: Sequence[Message]) -> str:
        seen.append(messages)
        return '{"cases": []}'

    for _ in range(2):
        assert ask(WINDOW, complete).drafts == []
    systems, users = [{messages[at].content for messages in seen} for at in (0, 1)]
    assert (len(systems), len(users)) == (1, 2)
    assert all(STORAGE in user and user.startswith("=== ") for user in users)


def test_windows_hold_all_text_once_within_their_bound() -> None:
    parts = "".join(f"## Part {n}\n\n" + f"word{n} " * 300 + "\n\n" for n in range(12))
    long = f"# A\n\n{parts}" + "".join(f"{n:05d}" for n in range(4000))
    found = list(windows({"long.md": long, "short.md": "Too short."}))
    assert "".join(window.text for window in found) == long
    assert all(len(window.text) <= LONGEST_WINDOW for window in found)
    assert len({window.key("m") for window in found}) == len(found)
    assert found[0].key("m") != found[0].key("other")
