"""retrieval: what a flow's search can learn from its golden set."""

from __future__ import annotations

import typer

from genaiops.cli.output import FlowFolder, Json, Set, print_json, say

app = typer.Typer(rich_markup_mode=None, add_completion=False, help="Tune a flow's search.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Tune a flow's search."""


@app.command()
def learn(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Learn the vector search's share in a hybrid ranking.

    From the golden set's cases tagged `train`, or from half of all. Nothing is written: it prints the share with its
    interval and the line for flow.yaml.
    """
    from genaiops.delivery.learning import learn_vector_weight
    from genaiops.flow import Flow

    learnt = learn_vector_weight(Flow.load(flow, overrides=settings or ()))
    if as_json:
        print_json({**_plain(learnt), "helps": learnt.helps})
        return
    say(f"vector_weight {learnt.weight:g}, {learnt.low:g} to {learnt.high:g} in cross-validation")
    say(
        f"ndcg@10 on {learnt.questions} training cases: vector {learnt.vector:.3f}, full text {learnt.full_text:.3f}, "
        f"default {learnt.default:.3f}, learnt {learnt.learnt:.3f} "
        f"(gain {learnt.gain_low:+.3f} to {learnt.gain_high:+.3f})"
    )
    if learnt.helps:
        say("put into flow.yaml:")
    else:
        say("the default is as good as chance can tell: leave vector_weight out; else, in flow.yaml:")
    say(f"retrieval: {{search: hybrid, vector_weight: {learnt.weight:g}}}")


def _plain(learnt: object) -> dict[str, object]:
    from genaiops.records import as_json

    plain: dict[str, object] = as_json(learnt)
    return plain
