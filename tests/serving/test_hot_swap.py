"""Promotions and rollbacks while the service runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from genaiops.errors import IntegrityError
from genaiops.serving import ReleaseWatcher
from tests.serving.running_service import MODEL, Echo, question, running, wait_for


class Shelf:
    """Releases by digest and the pointer to the current one; a broken release raises when it is loaded."""

    def __init__(self, current: str = "r1") -> None:
        self.pointers = {MODEL: current}
        self.broken: dict[str, Exception] = {}
        self.loads: list[str] = []

    def load(self, digest: str) -> Echo:
        self.loads.append(digest)
        if digest in self.broken:
            raise self.broken[digest]
        return Echo(digest)

    def current(self) -> dict[str, str]:
        return dict(self.pointers)


def served(watcher: ReleaseWatcher) -> dict[str, str]:
    return {model_id: servable.release for model_id, servable in watcher.snapshot().models.items()}


def test_a_release_is_loaded_once_and_swapped_when_the_pointer_moves() -> None:
    shelf = Shelf()
    watcher = ReleaseWatcher(shelf.load, shelf.current)
    assert served(watcher) == {}
    watcher.poll()
    watcher.poll()
    assert (served(watcher), shelf.loads) == ({MODEL: "r1"}, ["r1"])
    before = watcher.snapshot()
    shelf.pointers[MODEL] = "r2"
    watcher.poll()
    assert served(watcher) == {MODEL: "r2"}
    assert before.models[MODEL].release == "r1"  # who holds a snapshot keeps it


def test_two_models_of_one_release_share_it_and_a_removed_pointer_is_no_longer_served() -> None:
    shelf = Shelf()
    shelf.pointers["genaiops/other@prod"] = "r1"
    watcher = ReleaseWatcher(shelf.load, shelf.current)
    watcher.poll()
    assert shelf.loads == ["r1"]
    del shelf.pointers[MODEL]
    watcher.poll()
    assert served(watcher) == {"genaiops/other@prod": "r1"}


def test_a_release_that_cannot_be_loaded_leaves_the_last_good_one_and_says_why() -> None:
    shelf = Shelf()
    shelf.broken["r2"] = IntegrityError("/srv/.genaiops/indexes/ab/vectors.faiss is not the file recorded", where="/x")
    watcher = ReleaseWatcher(shelf.load, shelf.current)
    watcher.poll()
    shelf.pointers[MODEL] = "r2"
    watcher.poll()
    assert served(watcher) == {MODEL: "r1"}
    assert watcher.snapshot().problems == {MODEL: "release r2 cannot be loaded: vectors.faiss is not the file recorded"}
    watcher.poll()
    assert shelf.loads == ["r1", "r2"]  # not again at every poll
    shelf.pointers[MODEL] = "r3"
    watcher.poll()
    assert (served(watcher), dict(watcher.snapshot().problems)) == ({MODEL: "r3"}, {})


def test_a_failed_load_is_tried_again_after_its_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    shelf.broken["r1"] = OSError("disk")
    watcher = ReleaseWatcher(shelf.load, shelf.current)
    watcher.poll()
    assert watcher.snapshot().problems == {MODEL: "release r1 cannot be loaded: OSError: disk"}
    shelf.broken.clear()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3)
    watcher.poll()
    assert (served(watcher), dict(watcher.snapshot().problems)) == ({MODEL: "r1"}, {})


def test_a_release_that_is_another_than_asked_for_is_not_served() -> None:
    watcher = ReleaseWatcher(lambda digest: Echo("impostor"), Shelf().current)
    watcher.poll()
    assert served(watcher) == {}
    assert "asked for release r1, got impostor" in watcher.snapshot().problems[MODEL]


def test_a_registry_that_is_down_changes_nothing_but_the_problems() -> None:
    shelf = Shelf()
    down = False

    def current() -> dict[str, str]:
        if down:
            raise OSError("no route to postgres")
        return shelf.current()

    watcher = ReleaseWatcher(shelf.load, current)
    watcher.poll()
    down = True
    watcher.poll()
    assert (served(watcher), watcher.snapshot().problems) == (
        {MODEL: "r1"},
        {"registry": "OSError: no route to postgres"},
    )
    down = False
    watcher.poll()
    assert watcher.snapshot().problems == {}


def test_the_service_is_alive_while_its_first_release_still_loads(tmp_path: Path) -> None:
    loaded = threading.Event()

    def slowly(digest: str) -> Echo:
        loaded.wait(5)
        return Echo(digest)

    with ReleaseWatcher(slowly, Shelf().current, interval_s=0.01) as watcher, running(watcher, tmp_path) as service:
        assert httpx2.get(f"{service.url}/livez").status_code == 200
        assert httpx2.get(f"{service.url}/readyz").status_code == 503
        loaded.set()
        wait_for(lambda: httpx2.get(f"{service.url}/readyz").status_code == 200)


def test_swaps_under_load_drop_no_request_and_mix_no_releases(tmp_path: Path) -> None:
    shelf = Shelf("r0")
    load: Callable[[str], Echo] = lambda digest: Echo(digest, pause_s=0.004)  # noqa: E731
    stop = threading.Event()
    words = "a b c d e f"

    def promote() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            shelf.pointers[MODEL] = f"r{number}"

    def ask(number: int) -> str:
        body = question(words, stream=number % 2 == 0)
        response = http.post("/v1/chat/completions", json=body)
        assert response.status_code == 200
        release = response.headers["x-genaiops-release"]
        assert response.text.count(f"{release}:") == 6
        assert f'"release":"{release}"' in response.text
        others = {f"r{n}:" for n in range(200)} - {f"{release}:"}
        assert not any(f'"{other}' in response.text or f" {other}" in response.text for other in others)
        return str(release)

    promoter = threading.Thread(target=promote)
    with (
        ReleaseWatcher(load, shelf.current, interval_s=0.01) as watcher,
        running(watcher, tmp_path) as service,
        httpx2.Client(base_url=service.url, timeout=10) as http,
        ThreadPoolExecutor(8) as pool,
    ):
        wait_for(lambda: watcher.snapshot().models)
        promoter.start()
        releases = list(pool.map(ask, range(200)))
        stop.set()
        promoter.join()
    assert len(set(releases)) > 5
