from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.golden_sets import GoldenSet, Places
from genaiops.golden_sets.looks import Look, note_look, read_looks
from genaiops.golden_sets.splitting import Split, divide, moved, part_of_set, parts_of, read_split, write_split
from genaiops.records import Case, Evidence

SPLIT = Split.of("mine", dev=0.5, holdout=0.3)
WORDS = "alder birch cedar elm fir hazel larch maple oak pine rowan spruce willow yew".split()


def case(number: int, document: str = "", tags: tuple[str, ...] = ()) -> Case:
    a, b, c = WORDS[number % 14], WORDS[number // 14 % 14], WORDS[number // 196 % 14]
    evidence = (Evidence(document, f"quote {number}"),) if document else ()
    return Case(
        f"c{number}", f"{a} {b} {c} number{number} word{number * 7}?", reference="x", evidence=evidence, tags=tags
    )


def part_by_case(golden: GoldenSet, split: Split = SPLIT) -> dict[str, str]:
    return {name: part for part, ids in parts_of(golden, split).items() for name in ids}


def test_parts_have_about_their_shares_and_every_case_is_in_one() -> None:
    golden = GoldenSet("mine", tuple(case(n) for n in range(2000)))
    parts = parts_of(golden, SPLIT)
    assert {name: round(len(ids) / 2000, 1) for name, ids in parts.items()} == {
        "train": 0.2,
        "dev": 0.5,
        "holdout": 0.3,
    }
    assert Counter(name for ids in parts.values() for name in ids) == Counter(c.id for c in golden)


def test_all_cases_of_a_document_are_in_the_same_part() -> None:
    golden = GoldenSet("mine", tuple(case(n, f"d{n % 20}.md") for n in range(200)))
    placed = part_by_case(golden)
    assert all(len({placed[c.id] for c in golden if c.evidence[0].document == f"d{n}.md"}) == 1 for n in range(20))
    assert len(set(placed.values())) == 3


def test_a_question_that_is_almost_another_follows_it_across_documents() -> None:
    twins = []
    for n in range(60):
        one = case(n, f"d{n}.md")
        twins += [one, Case(f"{one.id}-twin", f"{one.question[:-1]} x?", evidence=(Evidence(f"e{n}.md", "q"),))]
    placed = part_by_case(GoldenSet("mine", tuple(twins)))
    # Five words of six in common are a Jaccard similarity of 0.83.
    assert all(placed[f"c{n}"] == placed[f"c{n}-twin"] for n in range(60))


def test_cases_that_are_added_later_move_no_other() -> None:
    few = [case(n, f"d{n % 9}.md") for n in range(100)]
    more = [case(n, f"d{n % 30}.md") for n in range(100, 300)]
    before, after = part_by_case(GoldenSet("m", tuple(few))), part_by_case(GoldenSet("m", tuple(few + more)))
    assert all(after[name] == part for name, part in before.items())


def test_a_tag_decides_and_another_salt_divides_otherwise() -> None:
    told = tuple(case(n, tags=("holdout",)) for n in range(20))
    assert set(part_by_case(GoldenSet("m", told)).values()) == {"holdout"}
    plain = GoldenSet("m", tuple(case(n) for n in range(50)))
    assert part_by_case(plain) != part_by_case(plain, Split.of("other", dev=0.5, holdout=0.3))


def test_the_part_of_a_divided_set_is_dev_unless_told_otherwise() -> None:
    golden = GoldenSet("mine", tuple(case(n) for n in range(50)))
    dev, name = part_of_set(golden, SPLIT, "")
    assert (name, [c.id for c in dev]) == ("dev", list(parts_of(golden, SPLIT)["dev"]))
    assert dev.name == "mine" and dev.digest != golden.digest
    assert part_of_set(golden, SPLIT, "all") == (golden, "all")
    assert part_of_set(golden, None, "") == part_of_set(golden, None, "all") == (golden, "")
    with pytest.raises(ConfigurationError, match="not divided"):
        part_of_set(golden, None, "holdout")
    with pytest.raises(ConfigurationError, match="no part 'test'"):
        part_of_set(golden, SPLIT, "test")
    with pytest.raises(GoldenSetError, match="has no case"):
        part_of_set(golden, Split.of("mine", dev=1, holdout=0), "holdout")


def test_a_split_comes_back_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = Places.of(tmp_path).split
    assert (path.name, read_split(path)) == ("golden.split.json", None)
    write_split(path, SPLIT)
    assert read_split(path) == SPLIT
    with pytest.raises(ConfigurationError, match=r"must be 1 or less together, got 0\.9 and 0\.3"):
        Split.of("m", dev=0.9, holdout=0.3)
    for content in ("{", '{"salt": "a", "dev": 2, "holdout": 0}', '{"salt": "a", "dev": 0.9, "holdout": 0.9}'):
        path.write_text(content)
        with pytest.raises(GoldenSetError, match="the split cannot be used"):
            read_split(path)


# --- small sets -----------------------------------------------------------------


def sizes(golden: GoldenSet, split: Split) -> list[int]:
    return [len(ids) for ids in parts_of(golden, split).values()]


@pytest.mark.parametrize("size", [3, 4, 5, 8, 12, 20])
@pytest.mark.parametrize("name", ["support", "mine", "faq", "legal"])
def test_a_small_set_that_can_fill_its_parts_fills_them(size: int, name: str) -> None:
    golden = GoldenSet(name, tuple(case(n, f"d{n}.md") for n in range(size)))
    split = divide(golden)
    assert 0 not in sizes(golden, split)
    assert divide(golden) == split
    plain = Split.of(name, dev=0.5, holdout=0.3)
    assert (split == plain) == (0 not in sizes(golden, plain)), "a name that serves is the salt, as it always was"


def test_a_set_of_too_few_documents_for_its_parts_is_refused_with_what_can_be_done() -> None:
    golden = GoldenSet("s", (*(case(n, "one.md") for n in range(3)), case(3)))
    with pytest.raises(GoldenSetError, match=r"leaves 2 groups to divide \(3 of document one\.md, 1 of case c3\)"):
        divide(golden)
    assert sizes(golden, divide(golden, dev=0.7, holdout=0.3))[0] == 0, "a part without a share may be empty"
    assert 0 not in sizes(golden, divide(golden, dev=0.7, holdout=0.3))[1:]
    assert sizes(golden, divide(golden, dev=1, holdout=0)) == [0, 4, 0]
    tagged = GoldenSet("s", (*golden.cases, case(4, tags=("train",))))
    assert 0 not in sizes(tagged, divide(tagged)), "a tag fills a part too"
    with pytest.raises(GoldenSetError, match=r"none of 1000 draws of 3 groups of cases(.|\n)* larger share, or 0"):
        divide(GoldenSet("s", tuple(case(n) for n in range(3))), dev=1e-6, holdout=1e-6)


def test_no_case_moves_unless_a_salt_or_a_share_is_given_anew() -> None:
    few = GoldenSet("s", tuple(case(n, f"d{n}.md") for n in range(6)))
    split = divide(few, salt=next(w for w in WORDS if 0 not in sizes(few, Split.of("s", dev=0.5, holdout=0.3, salt=w))))
    assert divide(few, before=split) == split
    more = GoldenSet("s", tuple(case(n, f"d{n}.md") for n in range(60)))
    again = divide(more, before=split)
    assert again == split and moved(more, split, again) == ()
    placed, later = part_by_case(few, split), part_by_case(more, again)
    assert all(later[name] == part for name, part in placed.items())
    anew = divide(more, salt="another", before=split)
    assert (anew.salt, anew.dev) == ("another", split.dev)
    assert set(moved(more, split, anew)) == {n for n, part in part_by_case(more, anew).items() if part != later[n]}
    larger = divide(more, dev=0.6, before=split)
    assert (larger.salt, larger.holdout) == (split.salt, split.holdout)
    assert {later[name] for name in moved(more, split, larger)} == {"train"}, "the holdout keeps its cases"


def test_a_salt_that_leaves_a_part_empty_is_refused_since_it_was_asked_for() -> None:
    few = GoldenSet("s", tuple(case(n, f"d{n}.md") for n in range(4)))
    bad = next(w for w in WORDS if 0 in sizes(few, Split.of("s", dev=0.5, holdout=0.3, salt=w)))
    with pytest.raises(GoldenSetError, match=f"the salt '{bad}' deals 4 groups"):
        divide(few, salt=bad)


def test_looks_are_counted_for_one_division_and_a_broken_line_counts_too(tmp_path: Path) -> None:
    ledger = tmp_path / "state" / "looks.jsonl"
    assert read_looks(ledger, "mine", SPLIT.digest) == ()
    look = Look("2027-01-01T00:00:00+00:00", "ada", "f", "mine", SPLIT.digest, "r1", 30)
    note_look(ledger, look)
    note_look(ledger, Look("t", "ada", "f", "mine", "another division", "r2", 30))
    ledger.write_bytes(ledger.read_bytes() + b'{"at": "cut o')
    note_look(ledger, look)
    assert read_looks(ledger, "mine", SPLIT.digest)[0] == look
    assert len(read_looks(ledger, "mine", SPLIT.digest)) == 3
    assert json.loads(ledger.read_text().splitlines()[0])["by"] == "ada"


def test_a_lone_file_has_its_companions_under_its_own_name() -> None:
    places = Places.of(Path("sets/faq.jsonl"))
    assert [p.name for p in (places.golden, places.proposed, places.rejected, places.lock, places.split)] == [
        "faq.jsonl", "faq.proposed.jsonl", "faq.rejected.jsonl", "faq.lock.json", "faq.split.json",
    ]  # fmt: skip
    assert (places.name, Places.of("sets/faq").name) == ("faq", "faq")
