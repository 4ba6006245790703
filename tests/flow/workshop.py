"""A small real project for the tests of flow, delivery and the commands: a bicycle workshop's handbook.

Twenty-four facts in four documents, a question for each, and eight questions that no document answers.
`finished()` is built, measured, released and promoted once per process; tests work on copies of it.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from genaiops.delivery import evaluate_flow, release_flow
from genaiops.flow import Flow
from genaiops.project import Project
from genaiops.promotion import Registry

FACTS = {  # document: (heading, sentence, question) of each section
    "brakes.md": [
        ("Brake pads", "Brake pads are replaced when less than 2 millimetres of rubber remain.",
         "When are brake pads replaced?"),
        ("Brake cables", "A frayed brake cable is replaced together with its housing.",
         "What happens to a frayed brake cable?"),
        ("Disc rotors", "Disc rotors are cleaned with isopropyl alcohol and a lint-free cloth.",
         "What are disc rotors cleaned with?"),
        ("Hydraulic fluid", "Hydraulic brake fluid is exchanged every 24 months.",
         "How often is hydraulic brake fluid exchanged?"),
        ("Brake levers", "Brake levers must stop at least 20 millimetres before the handlebar.",
         "How far before the handlebar must brake levers stop?"),
        ("Squealing", "A squealing rim brake is cured by toeing in the front edge of the pad.",
         "How is a squealing rim brake cured?"),
    ],
    "wheels.md": [
        ("Tyre pressure", "Touring tyres are inflated to 4.5 bar.", "To what pressure are touring tyres inflated?"),
        ("Spokes", "A broken spoke is replaced with one of equal length and gauge.",
         "What is a broken spoke replaced with?"),
        ("Truing", "A wheel is trued until its rim wobbles less than half a millimetre.",
         "How long is a wheel trued?"),
        ("Hubs", "Loose hub bearings are packed with lithium grease.", "What are loose hub bearings packed with?"),
        ("Inner tubes", "An inner tube with more than three patches is thrown away.",
         "When is an inner tube thrown away?"),
        ("Quick release", "The quick release lever closes with firm resistance from the halfway position.",
         "How does the quick release lever close?"),
    ],
    "office/bookings.md": [
        ("Opening hours", "The workshop opens at 8:30 on weekdays and stays closed on Sundays.",
         "When does the workshop open on weekdays?"),
        ("Deposits", "Repairs above 150 euros need a deposit of one third of the estimate.",
         "Which repairs need a deposit?"),
        ("Collection", "Finished bicycles are kept free of charge for 14 days.",
         "How long are finished bicycles kept free of charge?"),
        ("Loan bicycles", "Loan bicycles are given out against an identity card.",
         "Against what are loan bicycles given out?"),
        ("Cancelling", "A booking can be cancelled by telephone until noon of the day before.",
         "Until when can a booking be cancelled?"),
        ("Invoices", "Invoices list labour in steps of ten minutes.", "In what steps do invoices list labour?"),
    ],
    "office/warranty.md": [
        ("Frames", "Steel frames carry a warranty of ten years against broken welds.",
         "How many years of warranty do steel frames carry?"),
        ("Paint", "Scratched paint is never covered by the warranty.", "Is scratched paint covered by the warranty?"),
        ("Batteries", "Batteries are covered for 500 charging cycles.", "For how many charging cycles are batteries "
         "covered?"),
        ("Motors", "Motors opened by strangers lose their warranty at once.",
         "Which motors lose their warranty at once?"),
        ("Claims", "A warranty claim needs the receipt and the frame number.", "What does a warranty claim need?"),
        ("Second owners", "Second owners inherit the warranty when the sale is reported within 30 days.",
         "When do second owners inherit the warranty?"),
    ],
}  # fmt: skip
UNANSWERED = (
    "Who composed the opera Tosca?",
    "Which planet has the most moons?",
    "How is sourdough bread baked?",
    "What does the parliament of Norway decide?",
    "Why do volcanoes erupt under glaciers?",
    "Who wrote the novel Middlemarch?",
    "How many players has a cricket team?",
    "Which vitamin prevents scurvy in sailors?",
)
PROJECT = "environments: [dev, test, prod]\ntracking: none\n"
FLOW = """\
name: workshop
documents: {sources: [../../manual], include: ["**/*.md"]}
chunking: {strategy: markdown, size: 200, overlap: 0}
enrichment: [heading_path]
embedding: {precision: fp32}
retrieval: {search: hybrid, top_k: 4}
prompt: cited
generation: {model: extractive}
evaluation:
  golden_set: ../../eval_datasets/workshop
  measures: [recall@4, groundedness, completeness, answered, refusal]
"""
GATE = """\
coverage: 1.0
rules:
  - {measure: recall@4, at_least: 0.6}
  - {measure: refusal, at_least: 0.5}
  - {measure: groundedness, at_least: 0.5}
  - {measure: completeness, not_worse_than: champion, margin: 0.08}
  - {measure: answered, not_worse_than: champion, margin: 0.08}
"""
PROMPT = """\
---
name: {name}
description: One sentence with its source.
model:
  options: {{temperature: 0, maxOutputTokens: 100, additionalProperties: {{sentences: 1, support: {support}}}}}
inputs:
  - {{name: question, kind: string}}
  - {{name: context, kind: string}}
---
system:
Answer from these passages.

{{{{ context }}}}

user:
{{{{ question }}}}
"""


def write(root: Path) -> Path:
    """Write the project's files below `root`; returns the flow's folder."""
    files = {
        "genaiops.yaml": PROJECT,
        "flows/workshop/flow.yaml": FLOW,
        "flows/workshop/gate.yaml": GATE,
        "flows/workshop/prompts/cited.prompty": PROMPT.format(name="cited", support=0.35),
        "flows/workshop/prompts/mute.prompty": PROMPT.format(name="mute", support=0.99),
        "eval_datasets/workshop/golden.jsonl": "".join(json.dumps(case) + "\n" for case in cases()),
    }
    for name, sections in FACTS.items():
        title = Path(name).stem.title()
        body = "".join(f"\n## {heading}\n\n{sentence}\n" for heading, sentence, _ in sections)
        files[f"manual/{name}"] = f"# {title}\n{body}"
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root / "flows" / "workshop"


def cases() -> list[dict[str, object]]:
    """The golden set as JSON rows."""
    rows: list[dict[str, object]] = []
    for name, sections in FACTS.items():
        for number, (_, sentence, question) in enumerate(sections):
            evidence = [{"document": name, "quote": sentence}]
            rows.append({"id": f"{Path(name).stem}-{number}", "question": question, "kind": "answerable",
                         "reference": sentence, "evidence": evidence})  # fmt: skip
    for number, question in enumerate(UNANSWERED):
        rows.append({"id": f"unanswered-{number}", "question": question, "kind": "unanswerable"})
    return rows


@cache
def finished() -> Path:
    """A project whose flow was built, measured, released and promoted to prod. Only ever copied, never changed.

    Also measured, so that no test has to: the prompt that refuses everything, and the golden set less a third.
    """
    root = Path(tempfile.mkdtemp(prefix="workshop-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    flow = load(write(root))
    flow.build()
    release, _ = release_flow(flow)
    registry = Registry.of(flow.project)
    for environment in flow.project.settings.environments:
        registry.promote(release, to=environment)
    evaluate_flow(load(flow.folder, "prompt=mute"))
    whole = (flow.golden_set_path / "golden.jsonl").read_text(encoding="utf-8")
    drop_a_third(root)
    evaluate_flow(flow)
    (flow.golden_set_path / "golden.jsonl").write_text(whole, encoding="utf-8")
    return root


def copy(target: Path) -> Path:
    """A copy of the finished project below `target`; returns its root."""
    return Path(shutil.copytree(finished(), target / "project"))


def load(folder: Path, *overrides: str) -> Flow:
    """The flow in `folder`, in its own project whatever the environment of the test run says."""
    return Flow.load(folder, overrides=overrides, project=Project.find(folder))


def drop_a_third(root: Path) -> None:
    """Delete every third case of the golden set."""
    path = root / "eval_datasets" / "workshop" / "golden.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for number, line in enumerate(lines) if number % 3), encoding="utf-8")
