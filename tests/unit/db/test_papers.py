"""A house's papers: kept by kind and key beside its minutes, in the same file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.house import HousePapers, MinuteJournal, PaperKind
from tests.unit.db.rows import meter


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[HousePapers]:
    with MinuteJournal(tmp_path / "j.db") as journal:
        yield journal.papers


def test_papers_survive_reopening_beside_the_minutes(tmp_path: Path) -> None:
    with MinuteJournal(tmp_path / "j.db") as journal:
        journal.append([meter(minute=5)])
        journal.papers.keep(PaperKind.BILL, "2026-07", 10, b"\x00\xff")
    with MinuteJournal(tmp_path / "j.db") as journal:
        assert journal.papers.get(PaperKind.BILL, "2026-07") == b"\x00\xff"
        assert journal.last() == meter(minute=5)


def test_a_paper_replaces_the_one_of_its_kind_and_key_only(papers: HousePapers) -> None:
    papers.keep(PaperKind.WISH, "2026-07", 10, b"first")
    papers.keep(PaperKind.CONTRACT, "2026-07", 10, b"contract")
    papers.keep(PaperKind.WISH, "2026-07", 9, b"second")
    assert papers.get(PaperKind.WISH, "2026-07") == b"second"
    assert papers.all(PaperKind.WISH) == (b"second",)
    assert papers.get(PaperKind.CONTRACT, "2026-07") == b"contract"
    assert papers.get(PaperKind.WISH, "2026-08") is None


def test_papers_of_a_kind_are_listed_newest_first(papers: HousePapers) -> None:
    for key, at_s in (("b", 5), ("c", 2**40), ("a", 7), ("d", 5)):
        papers.keep(PaperKind.SWAP, key, at_s, key.encode())
    papers.keep(PaperKind.CHECK, "e", 6, b"e")
    assert papers.all(PaperKind.SWAP) == (b"c", b"a", b"d", b"b")
    assert papers.all(PaperKind.ADJUSTMENT) == ()


def test_a_dropped_paper_is_gone(papers: HousePapers) -> None:
    papers.keep(PaperKind.WISH, "a", 5, b"a")
    papers.keep(PaperKind.WISH, "b", 5, b"b")
    papers.drop(PaperKind.WISH, "a")
    papers.drop(PaperKind.WISH, "a")
    papers.drop(PaperKind.BILL, "b")
    assert papers.all(PaperKind.WISH) == (b"b",)
