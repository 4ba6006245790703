"""flow.yaml, variables of the environment and --set: who wins, where a value came from, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError
from genaiops.flow import Flow
from genaiops.flow.settings import origin_of, read_flow
from tests.small_project import SmallProject


def rewrite(project: SmallProject, old: str, new: str) -> None:
    path = project.flow / "flow.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def line_of(project: SmallProject, text: str) -> int:
    lines = (project.flow / "flow.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def refusal(project: SmallProject, *overrides: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Flow.load(project.flow, overrides=overrides)
    assert not project.home.exists()
    return caught.value


# --- who wins -----------------------------------------------------------------


def test_set_wins_over_the_environment_and_the_environment_over_the_file(
    small_project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(small_project, "prompt: cited", "prompt: cited\nretrieval: {top_k: 3}")
    assert Flow.load(small_project.flow).settings.retrieval.top_k == 3
    monkeypatch.setenv("GENAIOPS_RETRIEVAL__TOP_K", "4")
    assert Flow.load(small_project.flow).settings.retrieval.top_k == 4
    assert Flow.load(small_project.flow, overrides=["retrieval.top_k=5"]).settings.retrieval.top_k == 5
    assert Flow.load(small_project.flow, overrides=["retrieval.top_k=5", "retrieval.top_k=6"]).settings.retrieval == (
        Flow.load(small_project.flow, overrides=["retrieval={top_k: 6}"]).settings.retrieval
    )


def test_the_prompt_has_a_variable_of_its_own(small_project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAIOPS_PROMPT", "brief")
    assert Flow.load(small_project.flow).prompt.name == "brief"


def test_variables_that_are_no_settings_keep_their_own_meaning(
    small_project: SmallProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = Flow.load(small_project.flow).settings
    monkeypatch.setenv("GENAIOPS_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GENAIOPS_DATA", "/data")
    monkeypatch.setenv("GENAIOPS_RETRIEVAL_TOP_K", "99")  # one underscore: overrides nothing, as the handbook says
    flow = Flow.load(small_project.flow)
    assert flow.settings == plain
    assert flow.project.home == tmp_path / "state"


def test_a_folder_and_its_flow_yaml_name_the_same_flow(small_project: SmallProject) -> None:
    by_file = Flow.load(small_project.flow / "flow.yaml")
    assert by_file.folder == Flow.load(small_project.flow).folder == small_project.flow


# --- where a value came from ----------------------------------------------------


def test_every_value_knows_where_it_came_from(small_project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAIOPS_RETRIEVAL__SEARCH", "vector")
    origins = read_flow(small_project.flow, ["retrieval.top_k=2"]).origins
    assert origins["name"] == f"{small_project.flow / 'flow.yaml'}:1"
    assert origins["chunking.size"] == f"{small_project.flow / 'flow.yaml'}:{line_of(small_project, 'chunking')}"
    assert origins["retrieval.search"] == "environment variable GENAIOPS_RETRIEVAL__SEARCH"
    assert origins["retrieval.top_k"] == "--set retrieval.top_k"
    assert origin_of(("retrieval", "vector_weight"), origins) == ""


def test_a_section_given_whole_takes_the_place_of_what_the_file_said_below_it(small_project: SmallProject) -> None:
    effective = read_flow(small_project.flow, ["chunking={size: 500}"])
    assert (effective.settings.chunking.size, effective.settings.chunking.overlap) == (500, 80)
    assert origin_of(("chunking", "size"), effective.origins) == "--set chunking"
    assert not any(key.startswith("chunking.") for key in effective.origins)


# --- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("prompt: cited", "retrieval: {topk: 3}\nprompt: cited", "unknown key 'retrieval.topk'; did you mean 'top_k'?"),
        ("prompt: cited", "promt: cited", "key 'prompt' is missing"),
        ("prompt: cited", "prompt: cited\ntop_k: 3", "unknown key 'top_k'"),
        ("size: 300", 'size: "300"', "chunking.size: Input should be a valid integer, got '300'"),
        ("size: 300", "size: 10", "chunking.size must be at least 50 characters, got 10"),
        ("overlap: 0", "overlap: 300", "overlap must be below size=300, got 300"),
        ("prompt: cited", "prompt: ../cited", "'../cited' is not a valid name"),
        ("prompt: cited", "prompt: cited\nprompt: brief", "'prompt' is given twice"),
        ("prompt: cited", "prompt: !!python/name:os.system x", "not valid YAML"),
        ("[heading_path]", "[sumary]", "no enrichment 'sumary'; did you mean 'summary'?"),
        (
            "[heading_path]",
            "[{keywords: {top: 3}}]",
            "enrichment 'keywords' has wrong options (top: Extra",
        ),
        ("measures: [", "measures: [1, ", "evaluation.measures.0: Input should be a valid string, got 1"),
        ("size: 300", "size: .nan", "chunking.size"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(small_project: SmallProject, old: str, new: str, told: str) -> None:
    rewrite(small_project, old, new)
    error = refusal(small_project)
    text = str(error)
    assert told in text
    changed = new.splitlines()[-1] if "twice" in told else next(part for part in new.splitlines() if part != old)
    if "missing" not in told:
        assert f"{small_project.flow / 'flow.yaml'}:{line_of(small_project, changed)}:" in text
    assert error.exit_code == 2


def test_all_mistakes_of_a_file_are_told_at_once(small_project: SmallProject) -> None:
    rewrite(small_project, "prompt: cited", "prompt: cited\nretrieval: {top_k: 0, search: magic}\nindexx: {}")
    text = str(refusal(small_project))
    assert "retrieval.top_k" in text
    assert "retrieval.search" in text
    assert "unknown key 'indexx'; did you mean 'index'?" in text


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("retrieval.top_k=0", "--set retrieval.top_k: retrieval.top_k: Input should be greater"),
        ("retrieval.topk=3", "--set retrieval.topk: unknown key 'retrieval.topk'; did you mean 'top_k'?"),
        ("retreival.top_k=3", "--set retreival.top_k: unknown key 'retreival'; did you mean 'retrieval'?"),
        ("retrieval={topk: 3}", "--set retrieval: unknown key 'retrieval.topk'; did you mean 'top_k'?"),
        ("documents.sources=[1]", "--set documents.sources: documents.sources.0"),
        ("retrieval.top_k", "--set needs key=value, got 'retrieval.top_k'"),
        ("=3", "--set needs key=value"),
        ("chunking.overlap=900", "--set chunking.overlap: chunking: chunking.overlap must be below size=300, got 900"),
        ("name.first=x", "--set name.first: name.first: 'name' has no keys of its own"),
        ("prompt=[", "--set prompt: the value '[' cannot be read"),
        ("prompt=!!python/object/apply:os.system ['id']", "cannot be read"),
        ("prompt=", "is not a valid name"),
    ],
)
def test_a_wrong_override_is_refused_where_it_was_given(small_project: SmallProject, override: str, told: str) -> None:
    error = refusal(small_project, override)
    assert told in str(error)
    assert "flow.yaml" not in str(error)


def test_a_section_that_options_break_together_names_them_and_a_file_that_is_wrong_alone_stays_to_blame(
    small_project: SmallProject,
) -> None:
    both = refusal(small_project, "chunking.size=400", "chunking.overlap=900")
    assert both.where == "--set chunking.size, --set chunking.overlap"
    rewrite(small_project, "overlap: 0", "overlap: 300")
    error = refusal(small_project, "chunking.strategy=fixed")
    assert error.where == f"{small_project.flow / 'flow.yaml'}:{line_of(small_project, 'chunking')}"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("GENAIOPS_RETRIEVAL__TOP_K", "many", "GENAIOPS_RETRIEVAL__TOP_K: retrieval.top_k: Input should be a valid"),
        ("GENAIOPS_CHUNKING__OVERLAP", "900", "GENAIOPS_CHUNKING__OVERLAP: chunking: chunking.overlap must be below"),
        ("GENAIOPS_RETRIEVAL__TOPK", "3", "unknown key 'retrieval.topk'; did you mean 'top_k'?"),
        ("GENAIOPS_RETREIVAL__TOP_K", "3", "environment variable GENAIOPS_RETREIVAL__TOP_K overrides no setting"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    small_project: SmallProject, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    assert told in str(refusal(small_project))


def test_a_prompt_that_is_not_there_names_those_that_are(small_project: SmallProject) -> None:
    error = refusal(small_project, "prompt=citd")
    assert error.where.endswith("prompts/citd.prompty")
    assert "brief, cited" in error.remedy


def test_a_prompt_that_cannot_be_rendered_is_refused_at_loading(small_project: SmallProject) -> None:
    path = small_project.flow / "prompts" / "cited.prompty"
    path.write_text(path.read_text().replace("{{ question }}", "{{ qestion }}"))
    number = path.read_text().splitlines().index("{{ qestion }}") + 1
    error = refusal(small_project)
    assert error.where == f"{path}:{number}"
    assert "'qestion' is used but not declared" in str(error)


def test_a_folder_without_flow_yaml_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="genaiops new NAME"):
        Flow.load(tmp_path)


def test_a_flow_without_a_golden_set_says_so_when_one_is_needed(small_project: SmallProject) -> None:
    flow = Flow.load(small_project.flow, overrides=["evaluation={}"])
    with pytest.raises(ConfigurationError, match="names no golden set"):
        _ = flow.golden_set_path


def test_an_unknown_model_names_the_known_ones(small_project: SmallProject) -> None:
    (small_project.root / "models.yaml").write_text("models: {house-small: {base_url: 'http://127.0.0.1:1/v1'}}\n")
    error = refusal(small_project, "generation.model=house-smal")
    assert "extractive, house-small" in str(error)


def test_a_model_catalog_is_checked_with_its_lines(small_project: SmallProject) -> None:
    (small_project.root / "models.yaml").write_text("models:\n  house:\n    base_ulr: http://127.0.0.1:1/v1\n")
    error = refusal(small_project, "generation.model=house")
    assert error.where == f"{small_project.root / 'models.yaml'}:3"
    assert "base_ulr" in error.what
