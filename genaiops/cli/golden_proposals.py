"""golden draft, review, promote: cases that are proposed, and what becomes of them."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genaiops.cli.output import FlowFolder, Json, Set, leave, note, print_json, progress, say
from genaiops.display import counted, one_line

if TYPE_CHECKING:
    from genaiops.delivery.golden_outcome import Drafted
    from genaiops.golden_sets.desk import Desk
    from genaiops.golden_sets.proposals import Proposal
    from genaiops.records import Case

Actor = Annotated[str, typer.Option("--as", metavar="NAME", help="Who decides; default: the system's user.")]
_KEYS = "[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit"
_AROUND = 160  # characters shown on both sides of a quote


def register(app: typer.Typer) -> None:
    for command in (draft, review, promote):
        app.command()(command)


def draft(  # noqa: PLR0913  options of a command
    flow: FlowFolder,
    *,
    by: Annotated[str, typer.Option("--by", help="templates (offline) or model (the flow's).")] = "templates",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Proposals at most.")] = 20,
    per_document: Annotated[
        int, typer.Option("--per-document", min=1, max=1000, help="Proposals that may wait for one document.")
    ] = 3,
    document: Annotated[
        list[str] | None, typer.Option("--document", metavar="ID", help="Only from this one. Repeatable.")
    ] = None,
    calls: Annotated[int, typer.Option("--calls", min=1, max=100_000, help="Calls of the model at most.")] = 20,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Propose cases from the documents.

    Into proposed.jsonl, for golden review; never into the golden set. Run again for more.
    """
    from genaiops.cli.golden import embed_of
    from genaiops.delivery.golden_drafts import Bounds, draft_by_model, draft_by_templates
    from genaiops.errors import ConfigurationError
    from genaiops.flow import Flow

    if by not in ("templates", "model"):
        raise ConfigurationError(f"nobody drafts by {by!r}", remedy="--by templates, or --by model")
    opened = Flow.load(flow, overrides=settings or ())
    bounds = Bounds(limit, per_document, calls, tuple(document or ()))
    if by == "templates":
        done = draft_by_templates(opened, bounds, embed=embed_of(opened))
    else:
        with progress("drafting", "calls") as shown:
            done = draft_by_model(opened, bounds, embed=embed_of(opened), report=shown)
    if as_json:
        why, next_step = done.why_nothing
        print_json({"added": [proposal.case for proposal in done.added], "left_out": dict(done.left_out),
                    "calls": done.calls, "failed": done.failed, "more": done.more, "why_nothing": why,
                    "next": next_step})  # fmt: skip
    else:
        _tell(done)
    leave(3 if done.failed and not done.added else 0)


def _tell(done: Drafted) -> None:
    why, next_step = done.why_nothing
    if why:
        say(one_line(f"0 proposals: {why}"))
        say(f"next: {next_step}")
        if done.failed:
            note(f"given up: {done.failed}")
        return
    for proposal in done.added:
        found = f"  ({proposal.note})" if proposal.note else ""
        say(one_line(f"{proposal.case.id}: {proposal.case.question}{found}"))
    left = ", ".join(f"{number} {why}" for why, number in sorted(done.left_out.items()) if number)
    say(f"{counted(len(done.added), 'proposal')}" + (f"; left out: {left}" if left else ""))
    if done.failed:
        note(f"given up: {done.failed}")
    if done.more:
        say("more can be asked about: run it again, and review first what waits")
    say("decide on them with: genaiops golden review FLOW")


def promote(
    flow: FlowFolder,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of proposals.")],
    actor: Actor = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Accept proposals by their ids.

    Each is appended to the golden set by itself; one that lint calls an error stays where it is.
    """
    from genaiops.delivery.golden_work import desk_of
    from genaiops.errors import NotFound
    from genaiops.flow import Flow
    from genaiops.promotion.actor import check_actor

    who = check_actor(actor)
    desk = desk_of(Flow.load(flow, overrides=settings or ()))
    waiting = {proposal.case.id for proposal in desk.pending()}  # finishes what was killed, too
    for name in ids:
        if name not in waiting:
            raise NotFound(f"no proposal has the id {name!r}, so nothing was accepted", where=desk.places.proposed)
    accepted = [desk.accept(name, by=who).id for name in dict.fromkeys(ids)]
    if as_json:
        print_json({"accepted": accepted, "golden_set": str(desk.places.golden)})
    else:
        say(f"{counted(len(accepted), 'case')} more in {desk.places.golden}")


def review(flow: FlowFolder, actor: Actor = "", settings: Set = None, as_json: Json = False) -> None:
    """Decide on proposals, one after the other.

    Keys: a accept, e edit, r reject, s skip, q quit, each with Enter. Every decision is kept at once.
    """
    from genaiops.delivery.golden_work import desk_of
    from genaiops.flow import Flow
    from genaiops.promotion.actor import check_actor

    who = check_actor(actor)
    desk = desk_of(Flow.load(flow, overrides=settings or ()))
    waiting = desk.pending()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # a byte that is no text spoils its own line and no other
    counts = dict.fromkeys(("accepted", "rejected", "skipped"), 0)
    tell = note if as_json else say
    for number, proposal in enumerate(waiting, start=1):
        _show(desk, proposal, f"{number} of {len(waiting)}", tell)
        decision = _decide(desk, proposal, who, tell)
        if decision == "quit":
            break
        counts[decision] += 1
    left = len(desk.pending())
    if as_json:
        print_json({**counts, "waiting": left})
    else:
        say(f"{counts['accepted']} accepted, {counts['rejected']} rejected, {left} waiting")


def _show(desk: Desk, proposal: Proposal, place: str, tell: Callable[[str], None]) -> None:
    case = proposal.case
    made = f", by {proposal.proposed_by}" if proposal.proposed_by else ""
    tell(one_line(f"--- {place}: {case.id}{made}" + (f" ({proposal.note})" if proposal.note else "")))
    _show_case(desk, case, tell)


def _show_case(desk: Desk, case: Case, tell: Callable[[str], None]) -> None:
    tell(one_line(f"question:  {case.question}"))
    tell(one_line(f"kind:      {case.kind}" + (f"   tags: {', '.join(case.tags)}" if case.tags else "")))
    tell(one_line(f"reference: {case.reference or '(none)'}"))
    if case.forbidden:
        tell(one_line(f"forbidden: {'; '.join(case.forbidden)}"))
    for item in case.evidence:
        text = desk.texts.get(item.document, "")
        at = text.find(item.quote)
        before = text[max(0, at - _AROUND) : at] if at >= 0 else ""
        after = text[at + len(item.quote) : at + len(item.quote) + _AROUND] if at >= 0 else ""
        tell(one_line(f"{item.document}:  … {before} >>> {item.quote} <<< {after} …"))
    for problem in desk.problems(case):
        tell(one_line(f"{problem.severity} {problem.code}: {problem.what}; {problem.remedy}"))


Decision = Literal["accepted", "rejected", "skipped", "quit"]


def _decide(desk: Desk, proposal: Proposal, who: str, tell: Callable[[str], None]) -> Decision:
    """Ask until there is a decision; the end of the input is one to stop."""
    from genaiops.errors import GoldenSetError, NotFound

    case = proposal.case
    while True:
        tell(_KEYS)
        try:
            key = _line().lower()
        except EOFError:
            return "quit"
        except UnicodeError:
            tell("that is not UTF-8 text")
            continue
        try:
            if key == "a":
                desk.accept(proposal.case.id, by=who, edited=None if case == proposal.case else case)
                return "accepted"
            if key == "r":
                desk.reject(proposal.case.id, by=who)
                return "rejected"
        except NotFound:
            tell("somebody else has decided on it")
            return "skipped"
        except GoldenSetError as error:
            tell(one_line(error.what))
            continue
        if key == "e":
            case = _edited(case, tell)
            _show_case(desk, case, tell)
        elif key == "s":
            return "skipped"
        elif key == "q":
            return "quit"


def _line() -> str:
    """What was typed. EOFError at the end of the input, UnicodeError for what is not UTF-8."""
    given = input().strip()
    given.encode()
    return given


def _edited(case: Case, tell: Callable[[str], None]) -> Case:
    """Each part anew; an empty line leaves it as it is, a lone "-" makes it empty."""
    from genaiops.records import Evidence

    def asked(what: str, now: str) -> str:
        tell(one_line(f"{what} [{now}]"))
        try:
            given = _line()
        except EOFError:
            return now
        except UnicodeError:
            tell("that is not UTF-8 text, so it stays as it was")
            return now
        return "" if given == "-" else given or now

    question = asked("question", case.question)
    reference = asked("reference", case.reference)
    tags = tuple(tag.strip() for tag in asked("tags, with commas", ", ".join(case.tags)).split(",") if tag.strip())
    quotes = [(item.document, asked(f"quote of {item.document}", item.quote)) for item in case.evidence]
    evidence = tuple(Evidence(document, quote) for document, quote in quotes if quote)
    return replace(case, question=question or case.question, reference=reference, tags=tags, evidence=evidence)
