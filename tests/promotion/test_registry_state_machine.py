"""Whatever is promoted and rolled back in whatever order, the registry does what a few lists would."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from genaiops.errors import Conflict, GateRefused, NotFound
from tests.promotion.builders import ENVIRONMENTS, registry_in, release_of

RELEASES = [release_of(number) for number in range(3)]
DIGESTS = [release.digest for release in RELEASES]
environments = st.sampled_from(ENVIRONMENTS)
releases = st.sampled_from(DIGESTS)


class RegistryAgainstLists(RuleBasedStateMachine):
    """The model: for each environment a stack of releases, a generation, and all it ever held."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.registry = registry_in(self.folder)
        for release in RELEASES:
            self.registry.record_release(release)
        self.stacks: dict[str, list[str]] = {name: [] for name in ENVIRONMENTS}
        self.held: dict[str, set[str]] = {name: set() for name in ENVIRONMENTS}
        self.generations = dict.fromkeys(ENVIRONMENTS, 0)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(to=environments, digest=releases, stale=st.sampled_from([None, 0, 0, 1]))
    def promote(self, to: str, digest: str, stale: int | None) -> None:
        expected = None if stale is None else self.generations[to] - stale
        position = ENVIRONMENTS.index(to)
        if stale:
            with pytest.raises(Conflict):
                self.registry.promote(digest, to=to, expected_generation=expected)
        elif position and digest not in self.held[ENVIRONMENTS[position - 1]]:
            with pytest.raises(GateRefused):
                self.registry.promote(digest, to=to, expected_generation=expected)
        else:
            move = self.registry.promote(digest, to=to, expected_generation=expected)
            assert move.changed == (self.stacks[to][-1:] != [digest])
            if move.changed:
                self.stacks[to].append(digest)
                self.held[to].add(digest)
                self.generations[to] += 1

    @rule(name=environments)
    def rollback(self, name: str) -> None:
        if len(self.stacks[name]) < 2:
            with pytest.raises(NotFound):
                self.registry.rollback(name)
        else:
            left = self.stacks[name].pop()
            self.generations[name] += 1
            move = self.registry.rollback(name)
            assert (move.previous, move.release) == (left, self.stacks[name][-1])

    @invariant()
    def pointers_are_the_tops_of_the_stacks(self) -> None:
        found = {p.environment: (p.release, p.generation) for p in self.registry.status()}
        tops = {name: stack[-1] if stack else None for name, stack in self.stacks.items()}
        assert found == {name: (tops[name], self.generations[name]) for name in ENVIRONMENTS}
        assert self.registry.verify_audit().ok


RegistryAgainstLists.TestCase.settings = settings(
    max_examples=200 if os.environ.get("GENAIOPS_FAULTS") == "1" else 8,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestRegistryAgainstLists = RegistryAgainstLists.TestCase
