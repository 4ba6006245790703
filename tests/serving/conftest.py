"""One service for the tests of a module that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving.running_service import MODEL, Echo, Fixed, Running, running


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def service(echo: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Fixed({MODEL: echo}), tmp_path_factory.mktemp("keys")) as service:
        yield service
