"""A document is erased: 0 hits by id, text and vector in everything live and retained, whenever a kill struck."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from genaiops.delivery import evaluate_flow, forget, open_release, read_receipts
from genaiops.delivery.forgetting.erasure import unfinished
from genaiops.flow import Flow
from genaiops.promotion import Registry
from tests.faults.build_children import LONG, context, run
from tests.faults.life_children import forget_and_die
from tests.flow import workshop

ERASED = "office/bookings.md"
SENTENCES = [sentence for _, sentence, _ in workshop.FACTS[ERASED]]
MOST_POINTS = 2000
STEP = 1 if LONG else 60


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)


def opened(root: Path) -> Flow:
    return workshop.load(root / "flows" / "workshop")


def everything(root: Path) -> bytes:
    """Every byte of the state folder and the golden set; the document's source stays where it lies."""
    golden = root / "eval_datasets"
    files = [path for top in (root / ".genaiops", golden) for path in sorted(top.rglob("*")) if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files)


def assert_erased(root: Path) -> None:
    flow, content = opened(root), everything(root)
    assert not [sentence for sentence in SENTENCES if sentence.encode() in content]
    assert ERASED.encode() not in content
    for environment in flow.project.settings.environments:
        _, pipeline = open_release(flow.project, environment)
        hits = [hit for sentence in SENTENCES for hit in pipeline.search(sentence, 100)]
        assert hits
        assert not any(hit.chunk.document_id == ERASED for hit in hits)
        assert max(hit.signals.get("vector", 0.0) for hit in hits) < 0.9999
    report = flow.build()
    assert report.documents == 3  # its source is still there
    content = everything(root)
    assert not [sentence for sentence in SENTENCES if sentence.encode() in content]
    assert Registry.of(flow.project).verify_audit().ok


@pytest.mark.filterwarnings("ignore")  # of MLflow's use of SQLAlchemy
def test_f58_erased_from_live_and_retained_releases_runs_caches_and_mlflow(tmp_path: Path) -> None:
    root = workshop.copy(tmp_path)
    if LONG:
        (root / "genaiops.yaml").write_text("environments: [dev, test, prod]\n", encoding="utf-8")  # tracked in MLflow
        evaluate_flow(opened(root))
    assert SENTENCES[0].encode() in everything(root)
    receipt = forget(opened(root), document=ERASED)
    told = {item.store for item in receipt.artefacts}
    assert told >= {"index", "run", "release", "environment", "current index", "golden set", "cache"}
    assert ("MLflow run" in told) == LONG
    assert all(probe.hits == () for probe in receipt.probes)
    assert sum(probe.looked_at for probe in receipt.probes) > 20
    assert_erased(root)


def test_f58_killed_at_any_touch_of_a_file_it_is_whole_before_or_finished_after(tmp_path: Path) -> None:
    """Every point at which an erasure opens, makes, renames or removes something; every fortieth in the short lane."""
    killed, untouched = 0, 0
    for point in range(1, MOST_POINTS, STEP):
        root = workshop.copy(tmp_path / f"at{point}")
        code = run(context().Process(target=forget_and_die, args=(str(root), ERASED, point)))
        assert code in (0, -signal.SIGKILL)
        if code == 0:  # an erasure has fewer points than this
            assert_erased(root)
            break
        killed += 1
        flow = opened(root)
        if unfinished(flow.project) is None and not (flow.project.home / "receipts").exists():
            untouched += 1
            assert flow.ask("When does the workshop open on weekdays?").citations
        else:
            # Whatever is served in between can be opened: the old, or the new without it.
            for environment in flow.project.settings.environments:
                assert open_release(flow.project, environment)[1].search("lithium grease", 1)
        if not read_receipts(flow.project) or unfinished(flow.project) is not None:
            receipt = forget(opened(root), document=ERASED)
            stores = [item.store for item in receipt.artefacts]
            # Nothing that was done before the kill is missing.
            assert {name: stores.count(name) for name in ("index", "run", "release", "environment", "golden set")} == {
                "index": 1, "run": 3, "release": 1, "environment": 3, "golden set": 1,
            }, (point, receipt)  # fmt: skip
        assert_erased(root)
        shutil.rmtree(root.parent)
    print(f"f58: killed at {killed} points, {untouched} of them before anything was changed")
    assert killed >= 200 // STEP
    assert untouched < killed
