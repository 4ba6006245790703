"""Where a project begins, and where it keeps its state."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError
from genaiops.project import Project, ProjectSettings


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_nearest_project_file_above_decides(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "flows" / "a").mkdir(parents=True)
    (tmp_path / "outer" / "genaiops.yaml").write_text("environments: [one]\n", encoding="utf-8")
    assert Project.find(inner / "flows" / "a").root == tmp_path / "outer"
    (inner / "genaiops.yaml").write_text("environments: [two]\n", encoding="utf-8")
    project = Project.find(inner / "flows" / "a")
    assert (project.root, project.settings.environments) == (inner, ("two",))


def test_without_a_file_the_working_folder_is_the_project(tmp_path: Path) -> None:
    project = Project.find()
    assert project == Project(tmp_path, ProjectSettings(), tmp_path / ".genaiops")
    assert project.settings.environments == ("dev", "test", "prod")
    assert list(tmp_path.iterdir()) == []  # looking creates nothing


def test_state_lies_beside_the_file_or_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "genaiops.yaml").write_text("", encoding="utf-8")
    project = Project.find(tmp_path)
    assert project.home == tmp_path / ".genaiops"
    monkeypatch.setenv("GENAIOPS_HOME", "elsewhere")
    moved = Project.find(tmp_path)
    assert moved.home == tmp_path / "elsewhere"
    parts = (moved.indexes, moved.runs, moved.releases, moved.flows, moved.cache)
    assert [path.relative_to(moved.home).as_posix() for path in parts] == [
        "indexes", "runs", "releases", "flows", "cache.db",
    ]  # fmt: skip
    assert moved.registry_url == f"sqlite:///{moved.home}/registry.db"
    assert moved.models_file == tmp_path / "models.yaml"


def test_a_registry_that_is_given_is_used(tmp_path: Path) -> None:
    (tmp_path / "genaiops.yaml").write_text("registry: postgresql://db/registry\n", encoding="utf-8")
    assert Project.find(tmp_path).registry_url == "postgresql://db/registry"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environments: []", "different names"),
        ("environments: [dev, dev]", "different names"),
        ("environments: [Prod!]", "not a valid name"),
        ("environment: [dev]", "did you mean 'environments'"),
        ("tracking: 7", "tracking"),
        ("environments: dev", "environments"),
    ],
)
def test_a_wrong_project_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "genaiops.yaml").write_text(f"# the project\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said) as caught:
        Project.find(tmp_path)
    assert caught.value.where == f"{tmp_path / 'genaiops.yaml'}:2"


def test_an_unknown_environment_is_refused_with_the_known_ones() -> None:
    project = Project.find()
    assert project.environment("test") == "test"
    with pytest.raises(ConfigurationError, match="no environment 'live'; this project has dev, test, prod"):
        project.environment("live")
