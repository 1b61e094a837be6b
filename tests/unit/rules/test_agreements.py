"""Terms follow from entries laid one over another: what is on top is what was entered last."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from microgrid.agreements import (
    Basis,
    ContractEntry,
    TariffEntry,
    contracts_of,
    founding_entries,
    overlay,
    tariffs_of,
    terms_of,
)
from microgrid.terms import Contract, Tariff
from microgrid.units import microcoins
from tests.unit.rules.build import buyer, seller
from tests.unit.rules.build import terms_of as some_terms

Layer = tuple[int, int, int]
SPAN = range(-2, 34)


@st.composite
def layers(draw: st.DrawFn) -> list[Layer]:
    """Layers, some empty or the wrong way round; the value of each is its place in the order."""
    edges = st.integers(0, 30)
    pairs = draw(st.lists(st.tuples(edges, edges), max_size=12))
    return [(start, end, place) for place, (start, end) in enumerate(pairs)]


def on_top(laid: list[Layer], minute: int) -> int | None:
    """The last layer that holds in this minute."""
    holding = [value for start, end, value in laid if start <= minute < end]
    return holding[-1] if holding else None


@given(layers())
def test_on_top_is_the_latest_and_every_minute_has_at_most_one(laid: list[Layer]) -> None:
    pieces = overlay(laid)
    for minute in SPAN:
        found = [value for start, end, value in pieces if start <= minute < end]
        top = on_top(laid, minute)
        assert found == ([] if top is None else [top])
    assert all(start < end for start, end, _ in pieces)
    assert pieces == sorted(pieces)


@given(layers(), st.integers(0, 12))
def test_what_was_known_earlier_is_had_by_leaving_later_entries_out(laid: list[Layer], known: int) -> None:
    whole = overlay([*overlay(laid[:known]), *laid[known:]])
    assert [on_top(whole, minute) for minute in SPAN] == [on_top(laid, minute) for minute in SPAN]


def test_a_layer_in_the_middle_leaves_two_pieces() -> None:
    assert overlay([(0, 10, "a"), (4, 6, "b")]) == [(0, 4, "a"), (4, 6, "b"), (6, 10, "a")]
    assert overlay([(4, 6, "b"), (0, 10, "a")]) == [(0, 10, "a")]
    assert overlay([(0, 10, "a"), (5, 5, "b"), (7, 3, "c")]) == [(0, 10, "a")]


def entry(contract: Contract | None, valid_from: int, valid_to: int, **more: Any) -> ContractEntry:
    values: dict[str, Any] = {"house": "A", "month": "2026-06", "basis": Basis.ANSWERED, "author": "house A"}
    values |= {"note": "", "entered_s": 0, **more}
    return ContractEntry(contract=contract, valid_from=valid_from, valid_to=valid_to, **values)


def test_contracts_hold_for_the_minutes_of_their_entries_and_an_entry_without_one_ends_them() -> None:
    wide, narrow = seller("A", 8), buyer("A")
    found = contracts_of(
        [
            entry(wide, 0, 100),
            entry(seller("B", 9), 0, 50, house="B"),
            entry(None, 40, 60),
            entry(narrow, 80, 90),
        ]
    )
    assert [(c.house, c.role, c.valid_from, c.valid_to) for c in found] == [
        ("A", wide.role, 0, 40),
        ("A", wide.role, 60, 80),
        ("A", narrow.role, 80, 90),
        ("A", wide.role, 90, 100),
        ("B", wide.role, 0, 50),
    ]


def test_a_corrected_tariff_hides_the_wrong_one_without_erasing_it() -> None:
    def tariff(national: float, valid_from: int, valid_to: int) -> TariffEntry:
        made = Tariff(valid_from=valid_from, valid_to=valid_to, national=microcoins(national))
        return TariffEntry(tariff=made, author="Mehmet", note="", entered_s=0)

    entries = [tariff(17.6, 0, 100), tariff(18, 50, 100), tariff(17, 60, 70)]
    assert [(t.valid_from, t.valid_to, t.national) for t in tariffs_of(entries)] == [
        (0, 50, microcoins(17.6)),
        (50, 60, microcoins(18)),
        (60, 70, microcoins(17)),
        (70, 100, microcoins(18)),
    ]
    assert [t.national for t in tariffs_of(entries[:1])] == [microcoins(17.6)]


def test_the_entries_of_a_grid_file_make_its_terms_again() -> None:
    terms = some_terms(buyer("A"), seller("B", 8), replace(seller("C", 9), valid_from=5, valid_to=90))
    contracts, tariffs = founding_entries(terms, "grid file", "first", 7)
    assert terms_of(terms.zone, terms.houses, contracts, tariffs) == terms
    assert {(e.basis, e.month, e.author, e.note, e.entered_s) for e in contracts} == {
        (Basis.GRID_FILE, "", "grid file", "first", 7)
    }
    assert {(e.author, e.entered_s) for e in tariffs} == {("grid file", 7)}
