"""A release is earned by a pass on what it serves, and is refused when one byte of it changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, GateRefused, IntegrityError, NotFound
from genaiops.promotion import NotProven, bundle, diff, find_release, judge_run, load_release
from genaiops.promotion.release import RELEASE_FORMAT
from genaiops.records import canonical_json
from tests.promotion.builders import FLOOR, SERVED, bits, gate_of, passing, release_of, run_of


def test_a_pass_on_what_is_served_makes_a_release_with_its_evidence() -> None:
    run, gate, decision = passing()
    release = bundle(SERVED, run, gate, decision)
    assert release.flow == "handbook"
    assert release.served == SERVED
    assert release.evidence.run == run.id
    assert release.evidence.golden_set_digest == run.golden_set_digest
    assert release.evidence.decision == decision
    assert release.evidence.summaries == run.summaries


def test_the_same_content_is_the_same_release_on_any_day() -> None:
    run, gate, decision = passing()
    other_order = dict(reversed(SERVED.items()))
    assert bundle(SERVED, run, gate, decision).digest == bundle(other_order, run, gate, decision).digest


def test_the_name_of_the_file_is_what_sha256sum_prints(tmp_path: Path) -> None:
    release = bundle(SERVED, *passing())
    path = release.save(tmp_path)
    assert path.stem == release.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_release(tmp_path, release.digest) == release


def test_saving_again_repairs_a_damaged_file_and_leaves_a_good_one(tmp_path: Path) -> None:
    release = release_of(1)
    path = release.save(tmp_path)
    written = path.stat().st_mtime_ns
    release.save(tmp_path)
    assert path.stat().st_mtime_ns == written
    path.write_text("{}")
    release.save(tmp_path)
    assert load_release(tmp_path, release.digest) == release


def test_a_failed_gate_refuses_with_exit_code_1_and_every_reason() -> None:
    run = run_of({"groundedness": bits(10, 90)})
    with pytest.raises(GateRefused, match=r"groundedness: 0\.100") as error:
        bundle(SERVED, run, FLOOR, judge_run(FLOOR, run, None))
    assert error.value.exit_code == 1


def test_an_inconclusive_gate_refuses_with_exit_code_3() -> None:
    run = run_of({"groundedness": bits(9, 1)})
    with pytest.raises(NotProven, match="inconclusive") as error:
        bundle(SERVED, run, FLOOR, judge_run(FLOOR, run, None))
    assert error.value.exit_code == 3


def test_a_verdict_and_its_release_say_which_part_of_a_divided_set_they_rest_on() -> None:
    run = run_of({"groundedness": bits(100, 0)}, part="holdout", holdout_looks=3)
    decision = judge_run(FLOOR, run, None)
    told = "the golden set is divided: measured on handbook (holdout, look 3 at the holdout)"
    assert (decision.verdict, decision.reasons) == ("pass", (told,))
    proof = bundle(SERVED, run, FLOOR, decision).evidence
    assert (proof.part, proof.holdout_looks, proof.decision.reasons) == ("holdout", 3, (told,))


def test_what_settings_are_learnt_from_earns_no_release() -> None:
    run = run_of({"groundedness": bits(100, 0)}, part="train")
    decision = judge_run(FLOOR, run, None)
    assert decision.reasons[-1].endswith("(train), where settings are learnt: that earns no release")
    with pytest.raises(NotProven, match="asked the train part of the golden set"):
        bundle(SERVED, run, FLOOR, decision)


def test_a_release_on_a_set_that_is_not_divided_is_written_as_ever() -> None:
    # The digest names the file: with one more key, no release that was made before could be read.
    assert "part" not in json.loads(bundle(SERVED, *passing()).content)["evidence"]
    assert "holdout_looks" not in json.loads(release_of(1).content)["evidence"]
    assert release_of(1).digest == "b0f2f5a9e8e06b060e3283e7a870af533cf01cd8c9e5c4374aa6b79d7a770d0a"


def test_a_verdict_on_another_run_or_by_another_gate_earns_nothing() -> None:
    run, gate, decision = passing()
    with pytest.raises(NotProven, match="another run"):
        bundle(SERVED, replace(run, id="20261121t090000z-11111111"), gate, decision)
    with pytest.raises(NotProven, match="another gate"):
        bundle(SERVED, run, gate_of({"measure": "groundedness", "at_least": 0.1}), decision)


def test_what_changed_since_the_run_is_not_released() -> None:
    run, gate, decision = passing()
    with pytest.raises(NotProven, match="not the flow that run") as error:
        bundle({**SERVED, "retrieval": {"top_k": 7}}, run, gate, decision)
    assert "genaiops evaluate" in error.value.remedy


def test_every_flipped_bit_and_every_cut_is_found(tmp_path: Path) -> None:
    release = release_of(1)
    path = release.save(tmp_path)
    good = path.read_bytes()
    damaged = [good[:i] + bytes([good[i] ^ (1 << (i % 8))]) + good[i + 1 :] for i in range(len(good))]
    damaged += [good[:i] for i in range(0, len(good), 64)] + [good + b"\n", b"[" * 100_000]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match="not the file that was written"):
            load_release(tmp_path, release.digest)


def named_by_its_content(folder: Path, content: str) -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()
    (folder / f"{digest}.json").write_text(content)
    return digest


def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    newer = canonical_json({"format": RELEASE_FORMAT + 1, "anything": "else"})
    with pytest.raises(ConfigurationError, match="newer genaiops") as error:
        load_release(tmp_path, named_by_its_content(tmp_path, newer))
    assert "upgrade" in error.value.remedy


@pytest.mark.parametrize(
    "content", ["{}", "[]", "null", '{"format":1}', '{"format":1,"flow":"a","served":{},"evidence":{}}', "[" * 99_999]
)
def test_a_file_with_the_right_name_and_other_content_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(IntegrityError):
        load_release(tmp_path, named_by_its_content(tmp_path, content))


def test_content_beside_the_known_keys_is_refused(tmp_path: Path) -> None:
    smuggled = release_of(1).content[:-1] + ',"zzz":1}'
    with pytest.raises(IntegrityError):
        load_release(tmp_path, named_by_its_content(tmp_path, smuggled))


def test_a_unique_beginning_names_a_release(tmp_path: Path) -> None:
    release = release_of(1)
    release.save(tmp_path)
    assert find_release(tmp_path, release.digest[:6]) == release.digest
    assert find_release(tmp_path, release.digest) == release.digest


def test_an_ambiguous_beginning_is_an_error_that_shows_both(tmp_path: Path) -> None:
    for ending in ("0", "1"):
        (tmp_path / f"abcdef{ending * 58}.json").touch()
    with pytest.raises(ConfigurationError, match="2 releases start with abcdef: abcdef000000, abcdef111111"):
        find_release(tmp_path, "abcdef")


@pytest.mark.parametrize("prefix", ["", "abcde", "../../../etc/passwd", "ABCDEF", "abcdef*", "a" * 65, "latest"])
def test_what_is_no_beginning_of_an_id_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="not the id of a release"):
        find_release(tmp_path, prefix)


def test_an_unknown_release_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no release abcdef"):
        find_release(tmp_path / "nowhere", "abcdef")


def test_diff_names_the_parts_that_changed() -> None:
    run, gate, decision = passing()
    one = bundle(SERVED, run, gate, decision)
    other = replace(one, served={**SERVED, "retrieval": {"top_k": 9}, "extra": [1]})
    assert diff(one, one) == ()
    assert [(change.part, change.before, change.after) for change in diff(one, other)] == [
        ("served.extra", None, [1]),
        ("served.retrieval.top_k", 6, 9),
    ]
