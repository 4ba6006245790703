"""`genaiops new`: a small flow that builds and evaluates at once."""

from __future__ import annotations

from pathlib import Path

from genaiops.errors import ConfigurationError
from genaiops.files import check_name, write_durably
from genaiops.project import PROJECT_FILE

_TEMPLATE = Path(__file__).parent / "template"
_PLACES = {
    "flow.yaml": "flows/{name}/flow.yaml",
    "gate.yaml": "flows/{name}/gate.yaml",
    "cited.prompty": "flows/{name}/prompts/cited.prompty",
    "golden.jsonl": "eval_datasets/{name}/golden.jsonl",
    "CARD.md": "eval_datasets/{name}/CARD.md",
    "returns.md": "documents/{name}/returns.md",
}


def scaffold(name: str, root: Path) -> list[Path]:
    """Write the files of a new flow below `root` and return their paths, relative to it.

    Nothing that exists is touched: raises ConfigurationError when a file of that name is there.
    """
    check_name(name, "flow")
    targets = {source: root / place.format(name=name) for source, place in _PLACES.items()}
    if not (root / PROJECT_FILE).exists():
        targets[PROJECT_FILE] = root / PROJECT_FILE
    taken = next((path for path in targets.values() if path.exists()), None)
    if taken is not None:
        raise ConfigurationError(f"there is a flow {name!r} already", where=taken, remedy="choose another name")
    for source, path in targets.items():
        write_durably(path, (_TEMPLATE / source).read_text(encoding="utf-8").replace("{{name}}", name))
    return [path.relative_to(root) for path in targets.values()]
