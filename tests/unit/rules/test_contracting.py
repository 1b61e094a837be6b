"""What a household may ask for, what silence means, and that a month's contract is final."""

from typing import Any

import pytest
from msgspec.structs import replace

from microgrid.agreements import Basis, ContractEntry
from microgrid.contracting import (
    ContractPolicy,
    ContractRound,
    Silence,
    Wish,
    answer,
    by_silence,
    wish_faults,
    wish_of,
)
from microgrid.months import month_minutes, zone_of
from microgrid.terms import House, Obligation, Role, Source, Terms
from microgrid.units import MINUTES_PER_DAY
from tests.unit.rules.build import FIRST, MONTH, ZONE, T, buyer, seller, terms_of

JUNE = month_minutes(MONTH, zone_of(ZONE))
SOLAR = seller("B", 8, source=Source.SOLAR, obligation=Obligation.DAYLIGHT)
TERMS = terms_of(buyer("A"), SOLAR)
CONSUMER = Wish(role=Role.CONSUMER, max_w=3000)
PRODUCER = Wish(role=Role.PRODUCER, max_w=2500, min_w=250, price=T, source=Source.SOLAR)


def asked(*entries: ContractEntry, **more: Any) -> ContractRound:
    values: dict[str, Any] = {
        "month": MONTH,
        "minutes": JUNE,
        "houses": ("A", "B"),
        "opened_s": 0,
        "closes_s": JUNE.start * 60,
        "opened_by": "policy",
        "entries": entries,
    }
    return ContractRound(**{**values, **more})


def agreed(wish: Wish, house: str = "A", terms: Terms = TERMS, **more: Any) -> ContractEntry | dict[str, str]:
    return answer(asked(**more), wish, terms.house(house), terms, FIRST * 60 - 1)


def with_house(**more: Any) -> Terms:
    return replace(TERMS, houses=(replace(TERMS.houses[0], **more), TERMS.houses[1]))


# --- the window -------------------------------------------------------------------------------------


def test_the_window_opens_some_days_before_the_month() -> None:
    assert ContractPolicy().opens_at(JUNE) == JUNE.start - 3 * MINUTES_PER_DAY
    assert ContractPolicy(opens_days=0).opens_at(JUNE) == JUNE.start


# --- what may be asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        (CONSUMER, set()),
        (PRODUCER, set()),
        (replace(PRODUCER, price=T + 1), {"price"}),
        (replace(PRODUCER, price=T + 1, source=Source.GENERATOR), set()),
        (replace(PRODUCER, price=-1), {"price"}),
        (replace(PRODUCER, min_w=2501), {"min_w"}),
        (replace(PRODUCER, min_w=-1, source=None), {"min_w", "source"}),
        (replace(PRODUCER, max_w=10_001), {"max_w"}),
        (replace(CONSUMER, max_w=0), {"max_w"}),
        (replace(PRODUCER, max_w=0, min_w=0, price=-1), {"max_w", "price"}),
    ],
)
def test_what_is_wrong_is_told_by_field_in_a_sentence(wish: Wish, fields: set[str]) -> None:
    faults = wish_faults(wish, 10_000, T)
    assert set(faults) == fields
    assert fields <= set(Wish.__struct_fields__)
    assert all(text.endswith(".") for text in faults.values())
    refused = agreed(wish)
    assert refused == faults if faults else isinstance(refused, ContractEntry)


def test_a_wish_and_its_contract_are_the_same_but_for_house_and_minutes() -> None:
    contract = PRODUCER.contract("B", range(5, 9))
    assert (contract.house, contract.valid_from, contract.valid_to) == ("B", 5, 9)
    assert wish_of(contract) == PRODUCER
    assert wish_of(SOLAR).obligation is Obligation.DAYLIGHT


# --- an answer --------------------------------------------------------------------------------------


def test_an_answer_makes_an_entry_for_the_whole_month() -> None:
    entry = agreed(CONSUMER)
    assert isinstance(entry, ContractEntry)
    assert (entry.house, entry.month, entry.basis) == ("A", MONTH, Basis.ANSWERED)
    assert (entry.author, entry.entered_s) == ("house A", FIRST * 60 - 1)
    assert range(entry.valid_from, entry.valid_to) == JUNE
    assert entry.contract == CONSUMER.contract("A", JUNE)


def test_a_months_contract_is_final() -> None:
    entry = agreed(CONSUMER)
    assert isinstance(entry, ContractEntry)
    again = answer(asked(entry), PRODUCER, TERMS.house("A"), TERMS, FIRST * 60 - 1)
    assert isinstance(again, dict)
    assert again.keys() == {""}
    assert "final for the month" in again[""]
    assert asked(entry).waiting == ("B",)
    assert asked(entry).entry_of("A") == entry
    assert asked(entry).entry_of("B") is None


@pytest.mark.parametrize(("now_s", "closed"), [(FIRST * 60 - 1, False), (FIRST * 60, True)])
def test_answers_are_taken_until_the_months_first_minute(now_s: int, closed: bool) -> None:
    found = answer(asked(), CONSUMER, TERMS.house("A"), TERMS, now_s)
    assert isinstance(found, dict) is closed
    assert isinstance(answer(asked(final_s=5), CONSUMER, TERMS.house("A"), TERMS, now_s), dict)


def test_who_joins_within_the_month_has_a_contract_from_the_minute_after_its_answer() -> None:
    joined = JUNE.start + 1000
    own = asked(minutes=range(joined, JUNE.stop), houses=("A",), closes_s=JUNE.stop * 60)
    terms = with_house(joined=joined, left=JUNE.stop - 10)
    for now_s, first in ((joined * 60 - 9, joined), (joined * 60 + 3601, joined + 61)):
        entry = answer(own, CONSUMER, terms.house("A"), terms, now_s)
        assert isinstance(entry, ContractEntry)
        assert entry.contract is not None
        assert (entry.valid_from, entry.valid_to) == (first, JUNE.stop - 10)
        assert (entry.contract.valid_from, entry.contract.valid_to) == (first, JUNE.stop - 10)


def test_a_house_that_has_left_by_then_gets_no_contract() -> None:
    refused = agreed(CONSUMER, terms=with_house(left=JUNE.start))
    assert isinstance(refused, dict)
    assert "no longer part" in refused[""]


def test_a_solar_price_is_held_to_the_tariff_of_the_contracts_first_minute() -> None:
    old, new = TERMS.tariffs[0], replace(TERMS.tariffs[0], valid_from=JUNE.start, national=T - 5)
    terms = replace(TERMS, tariffs=(replace(old, valid_to=JUNE.start), new))
    refused = agreed(PRODUCER, house="B", terms=terms)
    assert isinstance(refused, dict)
    assert set(refused) == {"price"}
    assert isinstance(agreed(replace(PRODUCER, price=T - 5), house="B", terms=terms), ContractEntry)


def test_an_answer_for_a_time_without_a_tariff_is_refused_in_words() -> None:
    terms = replace(TERMS, tariffs=(replace(TERMS.tariffs[0], valid_to=JUNE.start),))
    refused = agreed(CONSUMER, terms=terms)
    assert isinstance(refused, dict)
    assert "no tariff is in force" in refused[""]


# --- silence ----------------------------------------------------------------------------------------


def silent(policy: ContractPolicy, terms: Terms = TERMS, **more: Any) -> dict[str, ContractEntry]:
    return {entry.house: entry for entry in by_silence(asked(**more), policy, terms, FIRST * 60)}


def test_silence_carries_last_months_contract_over() -> None:
    found = silent(ContractPolicy())
    assert found.keys() == {"A", "B"}
    for house, entry in found.items():
        before = TERMS.contract_at(house, FIRST - 1)
        assert before is not None
        assert entry.basis is Basis.CARRIED_OVER
        assert entry.author == "policy"
        assert entry.contract == replace(before, valid_from=JUNE.start, valid_to=JUNE.stop)
        assert range(entry.valid_from, entry.valid_to) == JUNE


def test_silence_means_no_contract_if_the_policy_says_so() -> None:
    for entry in silent(ContractPolicy(silence=Silence.NONE)).values():
        assert (entry.contract, entry.basis) == (None, Basis.NO_ANSWER)
        assert range(entry.valid_from, entry.valid_to) == JUNE


def test_only_who_has_not_answered_is_silent() -> None:
    entry = agreed(CONSUMER)
    assert isinstance(entry, ContractEntry)
    assert silent(ContractPolicy(), entries=(entry,)).keys() == {"B"}


def test_who_had_no_contract_has_none_to_carry_over() -> None:
    assert silent(ContractPolicy(), replace(TERMS, contracts=(SOLAR,)))["A"].basis is Basis.NO_ANSWER


def test_what_would_be_refused_now_is_not_carried_over() -> None:
    cheaper = replace(TERMS.tariffs[0], national=SOLAR.price - 1)
    found = silent(ContractPolicy(), replace(TERMS, tariffs=(cheaper,)))
    assert (found["B"].contract, found["B"].basis) == (None, Basis.NO_ANSWER)
    assert found["A"].basis is Basis.CARRIED_OVER
    assert silent(ContractPolicy(), with_house(connection_w=4000))["A"].basis is Basis.NO_ANSWER
    generator = replace(SOLAR, source=Source.GENERATOR)
    kept = silent(ContractPolicy(), replace(TERMS, contracts=(generator,), tariffs=(cheaper,)))
    assert kept["B"].basis is Basis.CARRIED_OVER


def test_a_contract_carried_over_ends_when_the_house_leaves() -> None:
    found = silent(ContractPolicy(), with_house(left=JUNE.start + 7))["A"]
    assert found.contract is not None
    assert (found.contract.valid_from, found.contract.valid_to) == (JUNE.start, JUNE.start + 7)
    gone = silent(ContractPolicy(), with_house(left=JUNE.start - 7))["A"]
    assert gone.contract is None


def test_terms_of_another_house_do_not_matter() -> None:
    assert isinstance(
        answer(asked(), CONSUMER, House(house="A", name="", connection_w=3000), TERMS, 0), ContractEntry
    )
