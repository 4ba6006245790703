"""The whole loop on the bundled flow, told step by step, ending in a scorecard and a report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.cli.evaluating import EXIT_CODES, print_decision, summaries
from genaiops.cli.output import print_json, progress, say, show, stages
from genaiops.cli.reporting import tell_untracked
from genaiops.display import counted
from genaiops.errors import ConfigurationError
from genaiops.files import published_folder

if TYPE_CHECKING:
    from genaiops.delivery import Evaluated, Gated
    from genaiops.flow import Flow
    from genaiops.project import Project
    from genaiops.promotion import Release
    from genaiops.records import Answer

FLOW = Path("flows/handbook")
BUNDLED = ("genaiops.yaml", "flows/handbook", "eval_datasets/handbook", "docs")
QUESTION = "How does the service notice a promotion?"
COPY = "genaiops-demo"


def run_demo(folder: Path | None, *, as_json: bool) -> int:
    """Build, evaluate every prompt variant, gate the best, release, promote through every environment, ask.

    Returns the exit code: 0, or that of a gate that did not pass. Opens no connection.
    """
    from genaiops.flow import Flow
    from genaiops.project import Project

    start = time.perf_counter()
    tell: Callable[[str], None] = (lambda text: None) if as_json else say
    root = bundled_project(folder)
    project = Project.find(root / FLOW)
    flow = Flow.load(root / FLOW, project=project)

    tell(
        f"1 build     {len(flow.variants)} prompt variants of flow {flow.name}, documents from {_short(root / 'docs')}"
    )
    with progress("embedding") as shown:
        built = flow.build(progress=shown)
    done = "nothing changed" if built.unchanged else f"{counted(built.embedded, 'text')} embedded"
    tell(f"            index {built.index[:12]}: {built.documents} documents, {built.chunks} chunks, {done}")

    evaluated = {name: _evaluate(flow.with_prompt(name), tell) for name in flow.variants}
    best = max(evaluated, key=lambda name: _merit(evaluated[name]))
    release, gated, answer = _deliver(flow.with_prompt(best), best, project, tell)
    _report(evaluated, best, gated)
    seconds = time.perf_counter() - start
    if as_json:
        print_json(_result(evaluated, best, gated, release, answer, seconds))
    else:
        _scorecard(evaluated, best, gated)
        if release is not None:
            say(f"release {release.digest[:12]} serves {', '.join(project.settings.environments)}")
        say(f"report  {_short(evaluated[best].report)}")
        there = "" if root == Path.cwd() else f"cd {_short(root)}, then "
        say(f'done in {seconds:.0f} s; next: {there}genaiops ask {FLOW} "…", or genaiops serve --env prod')
    return EXIT_CODES[gated.decision.verdict]


def _short(path: Path) -> str:
    """A path as it is seen from the working folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def bundled_project(folder: Path | None) -> Path:
    """The checkout this package lies in, or a copy of the bundled project in `folder` (default: genaiops-demo)."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent
    if folder is None and all((checkout / part).exists() for part in BUNDLED):
        return checkout
    source = checkout if (checkout / FLOW).is_dir() else package / "_bundled"
    if not source.is_dir():
        raise ConfigurationError("this installation does not carry the bundled project", where=source)
    target = (folder or Path(COPY)).resolve()
    if all((target / part).exists() for part in BUNDLED):
        return target
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(
            "this folder holds something else than the bundled project", where=target, remedy="name a new folder: --dir"
        )
    with published_folder(target) as aside:
        for part in BUNDLED:
            (aside / part).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (source / part).is_dir() else shutil.copy2
            copy(source / part, aside / part)
    return target


def _evaluate(variant: Flow, tell: Callable[[str], None]) -> Evaluated:
    from genaiops.delivery import evaluate_flow

    began = time.perf_counter()
    with stages(variant.settings.prompt) as shown:
        evaluated = evaluate_flow(variant, progress=shown)
    took = time.perf_counter() - began
    tell_untracked(evaluated)
    tell(f"2 evaluate  {variant.settings.prompt}: {len(evaluated.run.results)} questions in {took:.1f} s")
    return evaluated


def _merit(evaluated: Evaluated) -> float:
    """The mean over questions that want an answer or a refusal: right answers and right refusals count alike."""
    found = (evaluated.run.summary(name) for name in ("groundedness", "relevance", "completeness", "refusal"))
    return sum(summary.mean for summary in found if summary is not None and summary.mean is not None)


def _deliver(
    flow: Flow, best: str, project: Project, tell: Callable[[str], None]
) -> tuple[Release | None, Gated, Answer | None]:
    """Gate the best variant and, when it passes, take it through every environment and ask it something."""
    from genaiops.delivery import gate_flow, open_release, release_gated
    from genaiops.promotion import Registry

    gated = gate_flow(flow)
    tell(f"3 gate      {best}: {gated.decision.verdict}")
    if gated.decision.verdict != "pass":
        return None, gated, None
    release = release_gated(flow, gated)
    tell(f"4 release   {release.digest[:12]}: index, prompt, retrieval, model, and the verdict that earned it")
    for environment in project.settings.environments:
        tell(f"5 promote   {Registry.of(project).promote(release.digest, to=environment)}")
    last = project.settings.environments[-1]
    _, pipeline = open_release(project, last, flow=flow.name)
    answer = pipeline.ask(QUESTION)
    tell(f"6 ask       {last}: {QUESTION}")
    tell("            " + str(answer).replace("\n", "\n            "))
    return release, gated, answer


def _report(evaluated: dict[str, Evaluated], best: str, gated: Gated) -> None:
    from genaiops.delivery import write_report

    others = [item.run for name, item in evaluated.items() if name != best]
    write_report(evaluated[best], baseline=gated.champion, variants=others, verdict=gated.decision)


def _scorecard(evaluated: dict[str, Evaluated], best: str, gated: Gated) -> None:
    """Measures down, variants across, the verdict below."""
    from rich.table import Table

    table = Table(title="Scorecard", title_justify="left")
    table.add_column("measure")
    for name in evaluated:
        table.add_column(f"{name} (best)" if name == best else name, justify="right")
    for summary in evaluated[best].run.summaries:
        cells = []
        for item in evaluated.values():
            found = item.run.summary(summary.measure)
            cells.append("-" if found is None or found.mean is None else _cell(found))
        table.add_row(summary.measure, *cells)
    show(table)
    print_decision(gated.decision)


def _cell(summary: Any) -> str:
    if summary.low is None or summary.high is None:
        return f"{summary.mean:.3f}"
    return f"{summary.mean:.3f}  [{summary.low:.3f}, {summary.high:.3f}]"


def _result(
    evaluated: dict[str, Evaluated],
    best: str,
    gated: Gated,
    release: Release | None,
    answer: Answer | None,
    seconds: float,
) -> dict[str, Any]:
    return {
        "best": best,
        "variants": {name: {"run": item.run.id, "summaries": summaries(item.run)} for name, item in evaluated.items()},
        "verdict": gated.decision.verdict,
        "reasons": list(gated.decision.reasons),
        "release": release.digest if release else None,
        "answer": answer.text if answer else None,
        "report": str(evaluated[best].report),
        "seconds": seconds,
    }
