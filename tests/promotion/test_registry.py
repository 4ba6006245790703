"""Moving releases through environments, and what is refused on the way."""

from __future__ import annotations

import getpass
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, Conflict, GateRefused, IntegrityError, NotFound
from genaiops.project import Project
from genaiops.promotion import Decision, NotProven, Pointer, Registry, RegistryUnavailable, Release
from tests.promotion.builders import ENVIRONMENTS, registry_in, release_of


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return registry_in(tmp_path)


def recorded(registry: Registry, *numbers: int, flow: str = "handbook") -> list[str]:
    return [registry.record_release(release_of(number, flow=flow)) for number in numbers]


def with_verdict(verdict: Decision) -> Release:
    release = release_of(9)
    return replace(release, evidence=replace(release.evidence, decision=verdict))


def test_an_unused_registry_lists_every_environment_and_creates_nothing(registry: Registry, tmp_path: Path) -> None:
    assert registry.status() == [Pointer(name) for name in ENVIRONMENTS]
    assert registry.history("prod") == []
    assert registry.releases() == []
    assert registry.verify_audit().ok
    assert registry.champion("prod", "handbook") is None
    assert list(tmp_path.iterdir()) == []


def test_a_release_passes_the_environments_in_order(registry: Registry) -> None:
    (digest,) = recorded(registry, 1)
    for name in ENVIRONMENTS:
        move = registry.promote(digest[:6], to=name, actor="ada")
        assert (move.release, move.previous, move.generation, move.changed) == (digest, None, 1, True)
    assert [(p.environment, p.flow, p.release, p.generation, p.actor) for p in registry.status()] == [
        (name, "handbook", digest, 1, "ada") for name in ENVIRONMENTS
    ]
    assert registry.champion("prod", "handbook") == release_of(1)


def test_skipping_an_environment_is_refused_with_the_first_step_that_is_missing(registry: Registry) -> None:
    (digest,) = recorded(registry, 1)
    with pytest.raises(GateRefused, match="never in test, which comes before prod") as error:
        registry.promote(digest, to="prod")
    assert error.value.exit_code == 1
    assert error.value.remedy == f"run: genaiops promote {digest[:12]} --to dev"
    registry.promote(digest, to="dev")
    with pytest.raises(GateRefused) as error:
        registry.promote(digest, to="prod")
    assert error.value.remedy == f"run: genaiops promote {digest[:12]} --to test"


def test_having_held_the_environment_before_is_enough(registry: Registry) -> None:
    first, second = recorded(registry, 1, 2)
    for digest in (first, second):
        registry.promote(digest, to="dev")
    assert registry.promote(first, to="test").changed


def test_another_flows_history_opens_no_door(registry: Registry) -> None:
    (mine,) = recorded(registry, 1)
    (other,) = recorded(registry, 1, flow="support")
    registry.promote(mine, to="dev")
    with pytest.raises(GateRefused):
        registry.promote(other, to="test")


def test_promoting_what_is_there_changes_nothing_and_says_so(registry: Registry) -> None:
    (digest,) = recorded(registry, 1)
    registry.promote(digest, to="dev")
    before = (registry.status(), registry.verify_audit())
    move = registry.promote(digest, to="dev")
    assert not move.changed
    assert "already" in str(move)
    assert (registry.status(), registry.verify_audit()) == before


def test_a_lost_race_is_a_conflict_with_exit_code_3_and_changes_nothing(registry: Registry) -> None:
    first, second = recorded(registry, 1, 2)
    registry.promote(first, to="dev", expected_generation=0)
    before = (registry.status(), registry.verify_audit())
    with pytest.raises(Conflict, match="at generation 1, not 0") as error:
        registry.promote(second, to="dev", expected_generation=0)
    assert error.value.exit_code == 3
    with pytest.raises(Conflict):
        registry.rollback("dev", expected_generation=0)
    assert (registry.status(), registry.verify_audit()) == before


@pytest.mark.parametrize(("verdict", "refusal"), [("fail", GateRefused), ("inconclusive", NotProven)])
def test_a_release_without_a_pass_is_neither_recorded_nor_promoted(
    registry: Registry, verdict: str, refusal: type[GateRefused]
) -> None:
    release = with_verdict(Decision(verdict, ("recall@5: not measured",)))  # type: ignore[arg-type]
    with pytest.raises(refusal, match="recall@5: not measured"):
        registry.record_release(release)
    release.save(registry.releases_folder)
    with pytest.raises(refusal, match="recall@5: not measured"):
        registry.promote(release, to="dev")
    assert registry.releases() == []


def test_a_damaged_release_is_not_promoted_and_not_rolled_back_to(registry: Registry) -> None:
    first, second = recorded(registry, 1, 2)
    for digest in (first, second):
        registry.promote(digest, to="dev")
    path = registry.releases_folder / f"{first}.json"
    path.write_text(path.read_text().replace("0.9", "1.0"))
    with pytest.raises(IntegrityError):
        registry.rollback("dev")
    with pytest.raises(IntegrityError):
        registry.promote(first, to="dev")
    assert registry.pointer("dev").release == second
    path.unlink()
    with pytest.raises(NotFound):
        registry.rollback("dev")
    assert registry.verify_audit().ok


def test_two_rollbacks_go_two_back_and_a_third_has_nowhere_to_go(registry: Registry) -> None:
    first, second, third = recorded(registry, 1, 2, 3)
    for digest in (first, second, third):
        registry.promote(digest, to="dev")
    assert registry.rollback("dev").release == second
    assert registry.rollback("dev").release == first
    with pytest.raises(NotFound, match="nothing of handbook before"):
        registry.rollback("dev")
    assert registry.pointer("dev").generation == 5


def test_a_promotion_after_a_rollback_stands_on_what_was_rolled_back_to(registry: Registry) -> None:
    first, second, third = recorded(registry, 1, 2, 3)
    registry.promote(first, to="dev")
    registry.promote(second, to="dev")
    registry.rollback("dev")
    registry.promote(third, to="dev")
    assert registry.rollback("dev").release == first


def test_history_tells_every_move_in_order(registry: Registry) -> None:
    first, second = recorded(registry, 1, 2)
    registry.promote(first, to="dev", actor="ada")
    registry.promote(second, to="dev", actor="ben")
    registry.rollback("dev", actor="cleo")
    assert [(e.generation, e.action, e.release, e.previous, e.actor) for e in registry.history("dev")] == [
        (1, "promote", first, None, "ada"),
        (2, "promote", second, first, "ben"),
        (3, "rollback", first, second, "cleo"),
    ]


def test_two_flows_share_an_environment_without_meeting(registry: Registry) -> None:
    (mine,) = recorded(registry, 1)
    (other,) = recorded(registry, 2, flow="support")
    registry.promote(mine, to="dev")
    registry.promote(other, to="dev")
    assert [(p.environment, p.flow) for p in registry.status()] == [
        ("dev", "handbook"),
        ("dev", "support"),
        ("test", ""),
        ("prod", ""),
    ]
    with pytest.raises(ConfigurationError, match="several flows: handbook, support"):
        registry.rollback("dev")
    assert registry.pointer("dev", "support").release == other


def test_rolling_back_an_empty_environment_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFound, match="prod serves nothing"):
        registry.rollback("prod")


@pytest.mark.parametrize("name", ["production", "", "prod ", "../prod"])
def test_an_unknown_environment_is_refused_with_the_known_ones(registry: Registry, name: str) -> None:
    (digest,) = recorded(registry, 1)
    for action in (
        lambda: registry.promote(digest, to=name),
        lambda: registry.rollback(name),
        lambda: registry.history(name),
        lambda: registry.pointer(name),
    ):
        with pytest.raises(ConfigurationError, match="this project has dev, test, prod"):
            action()


def test_releases_carry_the_time_of_the_registry_not_of_the_file(registry: Registry) -> None:
    digests = recorded(registry, 3, 1, 2)
    recorded(registry, 3)  # again: nothing new
    assert [found.digest for found in registry.releases()] == digests
    assert all(found.created_at.endswith("+00:00") for found in registry.releases())


def test_the_actor_is_the_argument_the_variable_or_the_user(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (release_of(number) for number in (1, 2, 3))
    registry.record_release(first, actor="ada")
    monkeypatch.setenv("GENAIOPS_ACTOR", "ci/main")
    registry.record_release(second)
    monkeypatch.delenv("GENAIOPS_ACTOR")
    registry.record_release(third)
    assert [found.actor for found in registry.releases()] == ["ada", "ci/main", getpass.getuser()]
    for unprintable in ("\n", "a\x1b[2J", "x" * 201):
        with pytest.raises(ConfigurationError, match="audit log"):
            registry.record_release(first, actor=unprintable)


def test_a_clock_that_jumps_back_inverts_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = recorded(registry, 1, 2)
    for digest, time in ((first, "2027-01-01T00:00:00.000+00:00"), (second, "2020-01-01T00:00:00.000+00:00")):
        monkeypatch.setattr("genaiops.promotion.registry.utc_now", lambda time=time: time)
        registry.promote(digest, to="dev")
    assert [event.release for event in registry.history("dev")] == [first, second]
    assert registry.rollback("dev").release == first
    assert registry.verify_audit().ok


def test_a_registry_that_is_no_database_is_named_as_damaged(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database, " * 500)
    with pytest.raises(IntegrityError, match="registry cannot be read"):
        registry.status()
    with pytest.raises(IntegrityError, match="registry cannot be read"):
        registry.record_release(release_of(1))


def test_a_newer_registry_asks_for_an_upgrade_and_is_not_touched(registry: Registry, tmp_path: Path) -> None:
    recorded(registry, 1)
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    connection.close()
    for action in (registry.status, lambda: registry.promote(release_of(1), to="dev")):
        with pytest.raises(ConfigurationError, match="newer genaiops"):
            action()


def test_a_registry_locked_for_too_long_is_an_outage(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(registry, 1)
    monkeypatch.setattr("genaiops.promotion.database.BUSY_SECONDS", 0.05)
    impatient = Registry(f"sqlite:///{tmp_path}/./registry.db", ENVIRONMENTS, registry.releases_folder)
    holder = sqlite3.connect(tmp_path / "registry.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryUnavailable, match="locked") as error:
        impatient.promote(release_of(1), to="dev")
    assert error.value.exit_code == 3
    assert len(impatient.releases()) == 1  # reading goes on
    holder.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "not a url", "nosuchdb://host/x"])
def test_an_address_that_cannot_hold_a_registry_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError):
        Registry(url, ENVIRONMENTS, tmp_path).record_release(release_of(1))


def test_the_registry_of_a_project_lies_in_its_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAIOPS_HOME", str(tmp_path / "state"))
    registry = Registry.of(Project.find(tmp_path))
    digest = registry.record_release(release_of(1))
    registry.promote(digest, to="dev")
    assert (tmp_path / "state" / "registry.db").is_file()
    assert (tmp_path / "state" / "releases" / f"{digest}.json").is_file()


def test_importing_the_room_imports_nothing_heavy() -> None:
    code = (
        "import sys, genaiops.promotion as p; p.Registry, p.judge_run, p.bundle;"
        "print([m for m in ('sqlalchemy', 'numpy', 'scipy', 'torch', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
