"""Parsers that the tests of one module share, since starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.documents.shared_loaders import close_loaders


@pytest.fixture(scope="module", autouse=True)
def _no_loader_outlives_its_module() -> Iterator[None]:
    yield
    close_loaders()
