"""Proposals become cases: every decision at once, once, and whole."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from genaiops.errors import GoldenSetError, NotFound
from genaiops.golden_sets import GoldenSet, Places
from genaiops.golden_sets.desk import Desk
from genaiops.golden_sets.golden_set import line_of
from genaiops.golden_sets.pins import read_pins
from genaiops.golden_sets.proposals import Proposal, Queue
from genaiops.records import Case, Evidence

TEXTS = {"a.md": "Tyres are inflated to 4.5 bar.\n\nSpokes are replaced in pairs. Spokes rust."}
OLD = Case("old", "To what pressure are tyres inflated?", reference="4.5 bar.", evidence=(Evidence("a.md", "4.5 bar"),))
NEW = Case(
    "new", "How are spokes replaced?", reference="In pairs.", evidence=(Evidence("a.md", "in pairs"),), tags=("t",)
)
LOST = Case("lost", "What colour is it really?", reference="Red.", evidence=(Evidence("a.md", "It is red."),))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    places = Places.of(tmp_path / "set")
    places.golden.parent.mkdir()
    # Written by hand, with a line of its own form and no end of line.
    places.golden.write_text('\n{"id":"old",  "question":"To what pressure are tyres inflated?","reference":"4.5 bar.",'
                             '"evidence":[{"document":"a.md","quote":"4.5 bar"}]}')  # fmt: skip
    return Desk(places, TEXTS, nullcontext)


def test_an_accepted_case_is_appended_with_who_and_when_and_nothing_else_changes(desk: Desk) -> None:
    before = desk.places.golden.read_bytes()
    desk.add([Proposal(NEW, "template:x", "2027-01-01T00:00:00+00:00", "a note"), Proposal(LOST)])
    assert desk.accept("new", by="ada") == NEW
    assert desk.places.golden.read_bytes() == before + b"\n" + line_of(NEW).encode()
    assert GoldenSet.load(desk.places.golden).cases == (OLD, NEW)
    pin = read_pins(desk.places.lock).cases["new"]
    assert (pin.accepted_by, pin.case, len(pin.accepted_at)) == ("ada", NEW.digest, 25)
    assert [p.case.id for p in desk.pending()] == ["lost"]


def test_a_rejected_one_is_remembered_and_never_proposed_again(desk: Desk) -> None:
    assert [p.case.id for p in desk.add([Proposal(NEW), Proposal(NEW), Proposal(OLD)])] == ["new"]
    desk.reject("new", by="ada", note="too easy")
    (rejected,) = Queue.read(desk.places.rejected).proposals.values()
    assert (rejected.case, rejected.rejected_by, rejected.note) == (NEW, "ada", "too easy")
    assert desk.add([Proposal(NEW)]) == desk.pending() == []
    with pytest.raises(NotFound, match="no proposal has the id 'new'"):
        desk.accept("new", by="ada")


def test_a_case_that_cannot_be_won_stays_a_proposal_until_it_is_edited(desk: Desk) -> None:
    desk.add([Proposal(LOST)])
    before = desk.places.golden.read_bytes()
    with pytest.raises(GoldenSetError, match=r"'It is red\.' does not occur in a\.md"):
        desk.accept("lost", by="ada")
    assert (desk.places.golden.read_bytes(), len(desk.pending())) == (before, 1)
    fixed = Case("lost", LOST.question, reference="No.", evidence=(Evidence("a.md", "Spokes rust."),))
    desk.accept("lost", by="ada", edited=fixed)
    assert GoldenSet.load(desk.places.golden).cases[-1] == fixed
    assert desk.pending() == []


def test_an_id_is_never_given_to_two_cases(desk: Desk) -> None:
    other = Case("old", "Do spokes rust at all?", reference="Yes.")
    Queue.read(desk.places.proposed).add([Proposal(other)])
    with pytest.raises(GoldenSetError, match="another case 'old'"):
        desk.accept("old", by="ada")


@pytest.mark.parametrize("done", ["appended", "pinned"])
def test_an_acceptance_that_was_killed_half_way_is_finished_and_not_done_twice(desk: Desk, done: str) -> None:
    desk.add([Proposal(NEW), Proposal(LOST)])
    waiting = desk.places.proposed.read_bytes()
    desk.accept("new", by="ada")
    golden = desk.places.golden.read_bytes()
    desk.places.proposed.write_bytes(waiting)  # as a kill before the last step leaves it
    if done == "appended":
        desk.places.lock.unlink()
    assert [p.case.id for p in desk.pending()] == ["lost"]
    assert desk.places.golden.read_bytes() == golden
    assert read_pins(desk.places.lock).cases["new"].accepted_by == ("ada" if done == "pinned" else "")


def test_the_first_case_of_a_set_may_be_a_proposal(tmp_path: Path) -> None:
    desk = Desk(Places.of(tmp_path / "empty"), TEXTS, nullcontext)
    desk.add([Proposal(NEW)])
    desk.accept("new", by="ada")
    assert GoldenSet.load(tmp_path / "empty").cases == (NEW,)


def test_lines_of_people_are_read_and_every_broken_one_is_told(desk: Desk) -> None:
    path = desk.places.proposed
    path.write_text(line_of(NEW) + "\n" + line_of(LOST)[:-1])
    assert [p.case for p in desk.pending()] == [NEW, LOST]
    path.write_text(
        "{\n" + json.dumps({"id": "x", "question": "?", "reference": "y", "note": 1}) + "\n" + line_of(NEW) * 2
        + '{"id": "y", "question": "What?", "priority": 1}\n'
    )  # fmt: skip
    with pytest.raises(GoldenSetError) as raised:
        desk.pending()
    told = str(raised.value)
    assert f"{path}:1: not valid JSON" in told
    assert f"{path}:2: note: must be text" in told
    assert f"{path}:4: id 'new' stands on line 3 already" in told
    assert f"{path}:5: unknown key 'priority'" in told


def test_a_proposal_comes_back_as_it_was_written(tmp_path: Path) -> None:
    proposal = Proposal(NEW, "model:x", "2027-01-01T00:00:00+00:00", "a note \u2028 \x1b[2J", "ada", "t")
    queue = Queue.read(tmp_path / "proposed.jsonl")
    queue.add([proposal])
    assert list(Queue.read(tmp_path / "proposed.jsonl").proposals.values()) == [proposal]
