"""The registry on a real PostgreSQL, where the extra `pgvector` has put one."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import Conflict
from genaiops.promotion import Registry, RegistryUnavailable
from tests.promotion.builders import ENVIRONMENTS, release_of


@pytest.fixture
def url(postgres: str) -> str:
    return postgres.replace("postgresql://", "postgresql+psycopg://")


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
