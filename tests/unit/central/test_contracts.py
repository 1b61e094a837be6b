"""The rounds of contracts: opened, answered, refused, closed by silence, and who joins in the middle."""

from typing import Any

import pytest
from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from microgrid.agreements import Basis, ContractEntry, founding_entries, terms_of
from microgrid.contracting import ContractPolicy, ContractRound, Silence, Wish
from microgrid.months import month_minutes, zone_of
from microgrid.terms import House, Role, Source, Terms
from microgrid.units import microcoins
from tests.unit.central.bureau import DAY_S, month
from tests.unit.central.parts import buyer, seller, tariff, terms

MAY, JUNE, JULY, AUGUST = (month(f"2026-{n:02}") for n in (5, 6, 7, 8))
TERMS = terms(buyer("A"), seller("B", 8, source=Source.SOLAR))
BUY = Wish(role=Role.CONSUMER, max_w=2000)
SELL = Wish(role=Role.PRODUCER, max_w=2000, min_w=100, price=microcoins(9), source=Source.SOLAR)


class Desk:
    """A desk whose rounds are kept by a test: `known` is all that a restart leaves."""

    def __init__(self, agreed: Terms = TERMS, policy: ContractPolicy | None = None) -> None:
        self.agreed = Agreed(agreed)
        self._founded = founding_entries(agreed, "grid file", "", 0)[0]
        self._entries: list[ContractEntry] = []
        self.known: dict[tuple[str, int], ContractRound] = {}
        self.desk = ContractDesk(self.agreed, (), policy or ContractPolicy())

    def keep(self, *rounds: ContractRound) -> tuple[ContractRound, ...]:
        for asked in rounds:
            self.known[asked.month, asked.minutes.start] = asked
            self._entries += [entry for entry in asked.entries if entry not in self._entries]
            self.change()
            self.desk.stored(asked)
        return rounds

    def change(self, **more: Any) -> None:
        now = replace(self.agreed.terms, **more)
        entries = (*self._founded, *self._entries)
        self.agreed.change(replace(terms_of(now.zone, now.houses, entries, ()), tariffs=now.tariffs))

    def restart(self) -> None:
        self.desk = ContractDesk(self.agreed, self.known.values(), self.desk.policy)

    def due(self, now_s: int) -> tuple[ContractRound, ...]:
        return self.keep(*self.desk.due(now_s))

    def rest(self, now_s: int) -> list[str]:
        """Steps until nothing more is due; the months that were opened, closed or changed."""
        months: list[str] = []
        while found := self.due(now_s):
            months += [asked.month for asked in found]
        return months

    def take(
        self, house: str, wish: Wish, now_s: int, name: str = "2026-07", first: int | None = None
    ) -> bool:
        minutes = month(name)
        asked = self.desk.take(house, name, minutes.start if first is None else first, wish, now_s)
        if asked is not None:
            self.keep(asked)
        return asked is not None

    def call(self, house: str, now_s: int, index: int = -1) -> Any:
        return self.desk.calls(house, 1500, now_s)[index]

    def join(self, house: str, joined: int, now_s: int) -> list[ContractRound]:
        new = House(house=house, name=house, connection_w=5000, joined=joined)
        self.change(houses=(*self.agreed.terms.houses, new))
        return list(self.keep(*self.desk.rounds_for(new, now_s, "Mehmet")))


def opened(now_s: int = JULY.start * 60 - 3 * DAY_S, **more: Any) -> Desk:
    made = Desk(**more)
    made.due(now_s)
    return made


# --- the window -------------------------------------------------------------------------------------


def test_the_window_opens_three_days_before_the_month_and_asks_all_houses() -> None:
    made = Desk()
    assert made.due(JULY.start * 60 - 3 * DAY_S - 60) == ()
    (asked,) = made.due(JULY.start * 60 - 3 * DAY_S)
    assert (asked.month, asked.minutes, asked.houses) == ("2026-07", JULY, ("A", "B"))
    assert (asked.closes_s, asked.opened_by, asked.final_s) == (JULY.start * 60, "policy", None)
    assert made.due(JULY.start * 60 - DAY_S) == ()
    assert made.desk.newest == asked


def test_the_operator_opens_it_earlier_and_only_once() -> None:
    made = Desk()
    asked = made.desk.open_now(JUNE.start * 60, "Mehmet")
    assert asked is not None
    made.keep(asked)
    assert (asked.month, asked.opened_by) == ("2026-07", "Mehmet")
    assert made.desk.open_now(JUNE.start * 60 + 5, "Mehmet") is None
    assert made.due(JULY.start * 60 - 3 * DAY_S) == ()


def test_months_whose_clocks_change_are_asked_for_as_a_whole() -> None:
    zone = "Europe/Berlin"
    made = Desk(replace(TERMS, zone=zone))
    march = month_minutes("2026-03", zone_of(zone))
    assert len(march) == 31 * 1440 - 60
    (asked,) = made.due(march.start * 60 - 3 * DAY_S)
    assert asked.minutes == march
    april = month_minutes("2026-04", zone_of(zone))
    found = {(asked.month, asked.minutes, asked.opened_s) for asked in made.due(april.start * 60 - 3 * DAY_S)}
    assert ("2026-04", april, april.start * 60 - 3 * DAY_S) in found


# --- answers ----------------------------------------------------------------------------------------


def test_when_all_have_answered_the_contracts_are_final_and_exchange_is_permitted() -> None:
    made = opened()
    now_s = JULY.start * 60 - DAY_S
    assert made.take("A", BUY, now_s)
    assert (made.call("A", now_s).basis, made.call("A", now_s).permitted) == (Basis.ANSWERED, False)
    assert made.call("B", now_s).basis is None
    assert made.take("B", SELL, now_s + 5)
    call = made.call("A", now_s + 5)
    assert (call.agreed, call.permitted) == (BUY.contract("A", JULY), True)
    assert made.desk.newest is not None
    assert made.desk.newest.final_s == now_s + 5
    assert made.agreed.terms.contract_at("B", JULY.start) == SELL.contract("B", JULY)
    assert made.agreed.terms.contract_at("B", JULY.start - 1) != SELL.contract("B", JULY)
    assert made.rest(JULY.start * 60 + 60) == []


def test_a_call_tells_what_the_dialogs_need() -> None:
    made = opened()
    call = made.call("A", JULY.start * 60 - DAY_S)
    assert (call.month, call.first_minute, call.end_minute) == ("2026-07", JULY.start, JULY.stop)
    assert (call.closes_s, call.tariff, call.connection_w) == (JULY.start * 60, microcoins(17.6), 5000)
    assert call.last == made.agreed.terms.contract_at("A", JULY.start - 1)
    assert (call.last_max_w, call.refusal, call.basis, call.agreed) == (1500, {}, None, None)


def test_a_refused_answer_comes_back_by_field_and_can_be_corrected() -> None:
    made = opened()
    now_s = JULY.start * 60 - DAY_S
    assert not made.take("B", replace(SELL, price=microcoins(18), min_w=3000), now_s)
    call = made.call("B", now_s)
    assert call.refusal.keys() == {"price", "min_w"}
    assert "national tariff of 17.6" in call.refusal["price"]
    assert call.basis is None
    assert made.call("A", now_s).refusal == {}
    assert made.take("B", SELL, now_s + 5)
    assert made.call("B", now_s + 5).refusal == {}


def test_a_months_contract_is_final_but_the_same_answer_again_is_no_fault() -> None:
    made = opened()
    now_s = JULY.start * 60 - DAY_S
    assert made.take("A", BUY, now_s)
    assert not made.take("A", BUY, now_s + 5)  # the word that it was taken got lost
    assert made.call("A", now_s).refusal == {}
    assert not made.take("A", replace(BUY, max_w=2500), now_s + 9)
    assert "final" in made.call("A", now_s).refusal[""]
    assert made.agreed.terms.contract_at("A", JULY.start) == BUY.contract("A", JULY)


def test_nobody_answers_what_it_was_not_asked() -> None:
    made = opened()
    now_s = JULY.start * 60 - DAY_S
    assert not made.take("A", BUY, now_s, name="2026-08")
    assert not made.take("A", BUY, now_s, first=JULY.start + 1)
    assert not made.take("Z", BUY, now_s)
    assert made.call("A", now_s).refusal == {}


# --- silence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("silence", list(Silence))
def test_who_is_silent_gets_what_the_policy_says_at_the_months_first_minute(silence: Silence) -> None:
    made = opened(policy=ContractPolicy(silence=silence))
    made.take("A", BUY, JULY.start * 60 - DAY_S)
    assert made.due(JULY.start * 60 - 1) == ()
    (closed,) = made.due(JULY.start * 60)
    assert closed.final_s == JULY.start * 60
    assert made.call("B", JULY.start * 60).permitted
    before = made.agreed.terms.contract_at("B", JULY.start - 1)
    now = made.agreed.terms.contract_at("B", JULY.start)
    if silence is Silence.LAST:
        assert before is not None
        assert now == replace(before, valid_from=JULY.start, valid_to=JULY.stop)
    else:
        assert now is None
        # Neither does the grid file's contract shine through: none was agreed for the whole month.
        assert made.agreed.terms.contract_at("B", JULY.stop - 1) is None
    assert made.agreed.terms.contract_at("A", JULY.start) == BUY.contract("A", JULY)


def test_a_solar_price_above_a_tariff_that_fell_is_not_carried_over() -> None:
    made = opened()
    cheaper = tariff(valid_from=JULY.start, national=microcoins(7))
    made.change(tariffs=(tariff(valid_to=JULY.start), cheaper))
    (closed,) = made.due(JULY.start * 60)
    found = {entry.house: entry.basis for entry in closed.entries}
    assert found == {"A": Basis.CARRIED_OVER, "B": Basis.NO_ANSWER}


def test_an_answer_after_the_first_minute_is_told_so() -> None:
    made = opened()
    assert not made.take("A", BUY, JULY.start * 60)
    assert "closed" in made.call("A", JULY.start * 60).refusal[""]


# --- downtime and restarts --------------------------------------------------------------------------


def test_a_restart_in_the_middle_of_a_round_forgets_nothing_that_was_agreed() -> None:
    made = opened()
    made.take("A", BUY, JULY.start * 60 - DAY_S)
    before = made.desk.rounds
    made.restart()
    assert made.desk.rounds == before
    assert made.desk.newest is not None
    assert made.desk.newest.waiting == ("B",)
    assert made.due(JULY.start * 60 - DAY_S) == ()
    assert made.take("B", SELL, JULY.start * 60 - DAY_S)
    assert made.call("A", JULY.start * 60 - DAY_S).permitted


def test_a_missed_round_is_opened_and_closed_at_once() -> None:
    made = opened(JUNE.start * 60 - DAY_S)
    made.take("A", BUY, JUNE.start * 60 - DAY_S, "2026-06")
    made.restart()
    now_s = JULY.start * 60 + 5 * DAY_S
    assert set(made.rest(now_s)) == {"2026-06", "2026-07"}
    assert [asked.month for asked in made.desk.rounds] == ["2026-06", "2026-07"]
    assert made.agreed.terms.contract_at("A", JULY.start) == BUY.contract("A", JULY)
    assert all(asked.final_s == now_s for asked in made.desk.rounds)


def test_after_months_of_downtime_each_missed_month_carries_the_one_before() -> None:
    made = opened(MAY.start * 60 - DAY_S)
    made.take("A", BUY, MAY.start * 60 - DAY_S, "2026-05")
    made.take("B", SELL, MAY.start * 60 - DAY_S, "2026-05")
    made.restart()
    # The next month's window is open already, too.
    made.rest(AUGUST.start * 60 - DAY_S)
    assert [asked.month for asked in made.desk.rounds] == ["2026-05", "2026-06", "2026-07", "2026-08"]
    for minutes in (JUNE, JULY):
        assert made.agreed.terms.contract_at("A", minutes.stop - 1) == BUY.contract("A", minutes)
        assert made.agreed.terms.contract_at("B", minutes.start) == SELL.contract("B", minutes)
    assert [asked.final_s is None for asked in made.desk.rounds] == [False, False, False, True]


def test_without_a_tariff_for_the_month_its_contracts_wait_for_one() -> None:
    made = Desk(replace(TERMS, tariffs=(tariff(valid_to=JULY.start),)))
    now_s = JULY.start * 60 - DAY_S
    made.due(now_s)
    assert made.desk.calls("A", None, now_s) == []
    assert not made.take("A", BUY, now_s)
    assert made.due(JULY.start * 60 + 60) == ()
    made.change(tariffs=(tariff(),))
    assert "no tariff" in made.call("A", now_s).refusal[""]
    (closed,) = made.due(JULY.start * 60 + 120)
    assert {entry.basis for entry in closed.entries} == {Basis.CARRIED_OVER}


# --- who comes and goes -----------------------------------------------------------------------------


def test_who_joins_in_the_middle_of_a_month_is_asked_for_the_rest_of_it() -> None:
    made = Desk()
    joined, now_s = JULY.start + 14_400, (JULY.start + 14_390) * 60
    (own,) = made.join("C", joined, now_s)
    assert (own.month, own.minutes, own.houses) == ("2026-07", range(joined, JULY.stop), ("C",))
    assert (own.closes_s, own.opened_by) == (JULY.stop * 60, "Mehmet")
    assert made.desk.newest is None  # it is no round of a whole month
    assert made.take("C", BUY, now_s + 3600, first=joined)
    assert made.call("C", now_s + 3600).permitted
    contract = made.agreed.terms.contract_at("C", JULY.stop - 1)
    assert contract == BUY.contract("C", range(joined + 51, JULY.stop))
    made.rest(AUGUST.start * 60 + 60)
    assert made.agreed.terms.contract_at("C", AUGUST.start) == BUY.contract("C", AUGUST)


def test_two_houses_that_join_at_the_same_minute_are_both_asked() -> None:
    made = Desk()
    joined, now_s = JULY.start + 1000, (JULY.start + 900) * 60
    made.join("C", joined, now_s)
    assert made.take("C", BUY, now_s, first=joined)
    (own,) = made.join("D", joined, now_s)
    assert (own.houses, own.waiting, own.final_s) == (("C", "D"), ("D",), None)
    assert made.call("C", now_s).agreed is not None
    assert made.take("D", BUY, now_s, first=joined)
    assert made.agreed.terms.contract_at("C", joined) == BUY.contract("C", range(joined, JULY.stop))
    assert made.agreed.terms.contract_at("D", joined) == BUY.contract("D", range(joined, JULY.stop))


@pytest.mark.parametrize("final", [False, True])
def test_who_joins_while_the_next_month_is_asked_for_is_asked_for_both(final: bool) -> None:
    made = opened()
    now_s = JULY.start * 60 - DAY_S
    if final:
        made.take("A", BUY, now_s)
        made.take("B", SELL, now_s)
    joined = JULY.start - 1000
    own, following = made.join("C", joined, now_s)
    assert (own.month, own.minutes.start) == ("2026-06", joined)
    assert (following.month, following.houses, following.final_s) == ("2026-07", ("A", "B", "C"), None)
    assert [call.month for call in made.desk.calls("C", None, now_s)] == ["2026-06", "2026-07"]
    made.restart()
    assert made.take("C", BUY, now_s, "2026-06", first=joined)
    assert made.take("C", replace(BUY, max_w=1000), now_s)
    assert made.agreed.terms.contract_at("C", JULY.start - 1) == BUY.contract("C", own.minutes)
    assert made.agreed.terms.contract_at("C", JULY.start) == replace(BUY, max_w=1000).contract("C", JULY)
    assert made.call("C", now_s).permitted is final


@pytest.mark.parametrize("joined", [JULY.start, JULY.start - 500])
def test_who_is_entered_after_the_months_round_is_closed_is_still_asked_for_its_rest(joined: int) -> None:
    made = opened()
    made.rest(JULY.start * 60)
    now_s = JULY.start * 60 + DAY_S
    (own,) = made.join("C", joined, now_s)
    made.rest(now_s + 60)
    assert own.minutes.start > JULY.start  # the round of the whole month keeps its place
    assert made.take("C", BUY, now_s + 60, first=own.minutes.start)
    contract = made.agreed.terms.contract_at("C", JULY.stop - 1)
    assert contract == BUY.contract("C", range(now_s // 60 + 2, JULY.stop))
    assert all(asked.final_s is not None for asked in made.desk.rounds)


def test_who_joins_at_the_beginning_of_a_month_yet_to_be_asked_for_needs_no_round_of_its_own() -> None:
    made = Desk()
    assert made.join("C", AUGUST.start, JULY.start * 60) == []
    made.rest(JULY.start * 60 - DAY_S)
    asked = made.due(AUGUST.start * 60 - DAY_S)[-1]
    assert asked.houses == ("A", "B", "C")


def test_who_has_left_is_not_asked_again() -> None:
    made = Desk()
    house = made.agreed.terms.houses[0]
    made.change(houses=(replace(house, left=JULY.start), made.agreed.terms.houses[1]))
    (asked,) = made.due(JULY.start * 60 - DAY_S)
    assert asked.houses == ("B",)


def test_a_joiner_that_does_not_answer_has_no_contract_and_holds_nobody_up() -> None:
    made = Desk()
    made.join("C", JULY.start + 1000, JULY.start * 60)
    made.rest(AUGUST.start * 60 + 60)
    assert all(asked.final_s is not None for asked in made.desk.rounds)
    assert made.agreed.terms.contract_at("C", AUGUST.start) is None
