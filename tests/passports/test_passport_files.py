"""A passport is made from labels, kept, found again, and refused once it does not hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, IntegrityError, NotFound
from genaiops.evaluation import evaluate
from genaiops.evaluation.passports import Labelled, Passport, Shelf, calibrate, passport_line, read_labels
from genaiops.evaluation.passports.record import Confusion
from genaiops.evaluation.records import Run
from genaiops.evaluation.text_measures import ReferenceMeasure, exact_match
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, digest_of
from tests.passports.makers import DAY, UNTIL, WordJudge, labelled, passport, rewritten, rows

JUDGE = WordJudge()


class TestCalibrate:
    def test_every_source_has_its_own_figures_and_nothing_is_pooled(self) -> None:
        found = calibrate(JUDGE, [*rows(9, 1, "manuals"), *rows(6, 4, "news")], made=DAY)
        assert [source.source for source in found.sources] == ["manuals", "news"]
        manuals, news = found.sources
        assert manuals.confusion == Confusion(9, 1, 9, 1)
        assert news.confusion == Confusion(6, 4, 6, 4)
        assert manuals.balanced_accuracy and manuals.balanced_accuracy.value == pytest.approx(0.9)
        assert news.kappa.value == pytest.approx(0.2)
        assert (found.n, found.measure, found.judge) == (40, "groundedness", JUDGE.judge)
        assert (found.made_at, found.expires_at) == ("2026-11-21", "2027-11-21")

    def test_rows_the_judge_did_not_score_are_counted_apart(self) -> None:
        found = calibrate(JUDGE, [*rows(5, 0), labelled(1, None)], made=DAY)
        assert (found.sources[0].n, found.sources[0].unscored) == (10, 1)

    def test_a_judge_that_answers_nan_or_out_of_range_is_unscored_there(self) -> None:
        found = calibrate(JUDGE, [*rows(5, 0), labelled(1, float("nan")), labelled(0, 1.5)], made=DAY)
        assert (found.sources[0].n, found.sources[0].unscored) == (10, 2)

    def test_other_labels_are_another_digest_and_order_is_none(self) -> None:
        first = calibrate(JUDGE, rows(9, 1), made=DAY)
        assert calibrate(JUDGE, rows(9, 1)[::-1], made=DAY).labels == first.labels
        assert calibrate(JUDGE, rows(9, 2), made=DAY).labels != first.labels

    def test_what_cannot_be_compared_is_refused(self) -> None:
        plain = ReferenceMeasure("exact_match", exact_match)
        for measure, given, expires, words in (
            (plain, rows(5, 0), UNTIL, "not decided by a judge"),
            (JUDGE, [labelled(1, 0.9)] * 5, UNTIL, "all alike"),
            (JUDGE, [], UNTIL, "0 labels"),
            (
                JUDGE,
                [labelled(1, None), labelled(0, None, question="?")],
                UNTIL,
                "scored none of the 2 rows: nothing was said",
            ),
            (JUDGE, rows(5, 0), DAY, "before it counts"),
            (JUDGE, rows(5, 0) * 50, UNTIL, "is there twice"),
        ):
            with pytest.raises(ConfigurationError, match=words):
                calibrate(measure, given, made=DAY, expires=expires)


class TestLabelFiles:
    def read(self, folder: Path, *lines: object) -> tuple[list[Labelled], int]:
        path = folder / "labels.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return read_labels(path)

    def test_a_label_has_three_names_and_is_true_false_or_a_number(self, tmp_path: Path) -> None:
        found, waiting = self.read(
            tmp_path,
            {"answer": "a", "label": True},
            {"answer": "b", "human": 0.25, "source": "news"},
            {"answer": "c", "grounded": 0, "contexts": ["x"], "question": "q", "id": 7, "comment": "mine"},
            {"answer": "d", "label": None},
        )
        assert [(row.label, row.source) for row in found] == [(1, "own labels"), (0.25, "news"), (0, "own labels")]
        assert (found[2].sample.contexts, found[2].sample.id, waiting) == (("x",), "7", 1)

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ({"answer": "a"}, "needs its human label under one of label, human, grounded; none is there"),
            ({"answer": "a", "label": 1, "human": 1}, "label and human are all there"),
            ({"answer": "a", "label": 4}, r"got 4; of marks from 1 to 5, give \(mark - 1\) / 4"),
            ({"answer": "a", "label": "yes"}, "must be true, false, null or a number from 0 to 1, got 'yes'"),
            ({"label": True}, "answer must be a text"),
            ({"answer": "a", "label": 1, "contexts": "x"}, "contexts must be a list of texts"),
            ({"answer": "a", "label": 1, "source": 3}, "source must be a text"),
        ],
    )
    def test_a_broken_row_is_named_with_its_line(self, tmp_path: Path, row: dict[str, object], words: str) -> None:
        with pytest.raises(ConfigurationError, match=words) as caught:
            self.read(tmp_path, {"answer": "a", "label": 1}, row)
        assert caught.value.where.endswith("labels.jsonl:2")


class TestFiles:
    def test_a_passport_comes_back_as_it_was_written(self, tmp_path: Path) -> None:
        made = passport()
        assert Passport.load(made.save(tmp_path / "p.json")) == made

    def test_a_damaged_edited_newer_or_foreign_file_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        path = tmp_path / "p.json"
        content = passport().to_json()["passport"]
        better = {**content, "expires_at": "2099-01-01"}
        whole = json.dumps(passport().to_json())
        for text, words in (
            (whole[:-20], "cannot be read"),
            ("[" * 100_000, "cannot be read"),
            (json.dumps({"schema_version": 1, "passport": {"n": float("nan")}, "digest": "0"}), "cannot be read"),
            (json.dumps({**passport().to_json(), "passport": better}), "changed after it was written"),
            (json.dumps({**passport().to_json(), "schema_version": 2}), "schema version 2, this genaiops reads 1"),
            ("[]", "schema version None"),
            (json.dumps({"schema_version": 1, "passport": {}, "digest": digest_of({})}), "not complete"),
        ):  # fmt: skip
            path.write_text(text)
            with pytest.raises(IntegrityError, match=words) as caught:
                Passport.load(path)
            assert caught.value.remedy
        with pytest.raises(NotFound):
            Passport.load(tmp_path / "none.json")

    def test_a_run_keeps_the_passports_of_its_judges_and_an_older_run_has_none(self, tmp_path: Path) -> None:
        shelf = Shelf(tmp_path / "passports")
        shelf.keep(passport())
        golden = GoldenSet("g", (Case("a", "?", reference="x"),))
        run = evaluate(lambda query: "0.9", golden, measures=[JUDGE, "exact_match"], passports=shelf)
        assert run.passports == {"groundedness": passport()}
        assert Run.load(run.save(tmp_path)).passports == run.passports
        older = run.to_json()
        del older["passports"]
        assert Run.from_json(older).passports == {}
        assert evaluate(lambda query: "0.9", golden, measures=[WordJudge(version=2)], passports=shelf).passports == {}


class TestShelf:
    @pytest.fixture
    def shelf(self, tmp_path: Path) -> Shelf:
        return Shelf(tmp_path / "own", tmp_path / "shipped")

    def test_a_passport_that_holds_is_given(self, shelf: Shelf) -> None:
        shelf.keep(passport())
        assert shelf.standing("groundedness", JUDGE.judge, on=DAY) == passport()
        assert shelf.standing("groundedness", JUDGE.judge, on=UNTIL) == passport()

    def test_no_passport_and_one_of_another_judge_are_told_apart(self, shelf: Shelf) -> None:
        nothing = shelf.standing("groundedness", JUDGE.judge, on=DAY)
        assert "has no passport; genaiops judge calibrate FILE --measure groundedness" in str(nothing)
        shelf.keep(passport(judge=WordJudge(version=2)))
        changed = shelf.standing("groundedness", JUDGE.judge, on=DAY)
        assert f"there is one of {WordJudge(version=2).judge[:12]}: the judge or its embedder is another" in str(
            changed
        )
        assert shelf.find("groundedness", JUDGE.judge) is None

    def test_an_expired_one_says_since_when(self, shelf: Shelf) -> None:
        shelf.keep(passport())
        told = shelf.standing("groundedness", JUDGE.judge, on=UNTIL + timedelta(days=1))
        assert str(told).startswith("the passport expired on 2027-11-21; genaiops judge calibrate")

    def test_a_retired_judge_stays_retired(self, shelf: Shelf) -> None:
        passport().save(shelf.shipped / "groundedness.json")
        assert shelf.standing("groundedness", JUDGE.judge, on=DAY) == passport()
        shelf.retire("groundedness", JUDGE.judge, "errs on roles")
        assert shelf.standing("groundedness", JUDGE.judge, on=DAY) == "the judge was retired: errs on roles"
        with pytest.raises(ConfigurationError, match="was retired: errs on roles"):
            shelf.keep(passport())
        with pytest.raises(NotFound):
            shelf.retire("relevance", JUDGE.judge, "why not")
        assert [kept.shipped for kept in shelf.kept()] == [False]

    def test_a_damaged_own_file_does_not_let_the_shipped_one_back_in(self, shelf: Shelf) -> None:
        passport().save(shelf.shipped / "groundedness.json")
        path = shelf.retire("groundedness", JUDGE.judge, "errs on roles")
        path.write_text("{")
        told = shelf.standing("groundedness", JUDGE.judge, on=DAY)
        assert isinstance(told, str) and "cannot be read" in told
        assert shelf.find("groundedness", JUDGE.judge) is None
        first = shelf.kept()[0]
        assert (first.path, bool(first.problem)) == (path, True)

    def test_a_file_copied_to_another_judges_place_is_refused(self, shelf: Shelf) -> None:
        place = shelf.path_of("groundedness", JUDGE.judge)
        passport(judge=WordJudge(version=2)).save(place)
        assert "holds the passport of another judge" in str(shelf.standing("groundedness", JUDGE.judge, on=DAY))
        rewritten(place, digest="0" * 64)
        assert "changed after it was written" in str(shelf.standing("groundedness", JUDGE.judge, on=DAY))

    def test_names_of_measures_make_file_names(self, shelf: Shelf) -> None:
        judge = WordJudge("llm:../Groundedness")
        path = shelf.keep(passport(judge=judge))
        assert path.parent == shelf.folder
        assert path.name.startswith("llm-groundedness-")


def test_a_line_says_the_range_over_sources_and_until_when() -> None:
    found = calibrate(JUDGE, [*rows(9, 1, "manuals"), *rows(6, 4, "news")], made=DAY)
    assert passport_line(found) == (
        "AUROC 0.84–0.99, balanced accuracy 0.60–0.90 over 2 sources, n 40, until 2027-11-21"
    )
    assert passport_line(replace(found, retired="old")).endswith("retired: old")
    assert date.fromisoformat(found.expires_at) == UNTIL
