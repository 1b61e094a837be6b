"""The rounds of contracts at work: when houses are asked, what they answered, when it is final (5.3-5.6).

A plain class without clock, socket or disk: `now_s` goes in; rounds to be stored and calls to be sent
come out. A round is taken up only once it is stored: what a house is told stands on the disk.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from microgrid.contracting import ContractPolicy, ContractRound, Wish, answer, by_silence, wish_of
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.terms import House
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.messages import ContractCall

POLICY = "policy"  # who opened a round when nobody did it by hand


class ContractDesk:
    """Keeps the rounds. Not thread-safe: the network thread owns it."""

    def __init__(self, agreed: Agreed, rounds: Iterable[ContractRound], policy: ContractPolicy) -> None:
        self._agreed = agreed
        self._zone = zone_of(agreed.terms.zone)
        self._rounds = {_key(asked): asked for asked in rounds}
        self._refusals: dict[tuple[tuple[str, int], str], dict[str, str]] = {}
        self.policy = policy

    @property
    def rounds(self) -> tuple[ContractRound, ...]:
        """All rounds, by month and first minute."""
        return tuple(asked for _, asked in sorted(self._rounds.items()))

    @property
    def newest(self) -> ContractRound | None:
        """The newest round of a whole month; None before the first."""
        whole = [asked for asked in self.rounds if self._is_whole(asked)]
        return whole[-1] if whole else None

    def due(self, now_s: int) -> list[ContractRound]:
        """Rounds to be stored because of the time: opened, or closed by what silence means.

        A month whose round was missed, because the central did not run, is opened now and closed the next
        time, before the one after it: so each carries the one before it over.
        """
        minute = now_s // SECONDS_PER_MINUTE
        current, following = self._current_and_next(minute)
        newest = self.newest or next(iter(self.rounds), None)  # of who joined before the first whole month
        changed = self._closing(now_s)
        if newest is not None and newest.month < current:
            changed.append(self._opened(self._month_at(newest.minutes.stop), now_s, POLICY))
        elif minute >= self.policy.opens_at(month_minutes(following, self._zone)):
            asked = self._opened(following, now_s, POLICY)
            changed += [] if _key(asked) in self._rounds else [asked]
        return changed

    def open_now(self, now_s: int, author: str) -> ContractRound | None:
        """Next month's round, opened early by the operator; None if it is open already."""
        _, following = self._current_and_next(now_s // SECONDS_PER_MINUTE)
        asked = self._opened(following, now_s, author)
        return None if _key(asked) in self._rounds else asked

    def rounds_for(self, house: House, now_s: int, author: str) -> list[ContractRound]:
        """Rounds that ask a house that joins: for the rest of its first month, and the next one's if open.

        It may answer until the month ends. What is over cannot be agreed any more: who is entered after it
        joined is asked for the rest of the month that runs.
        """
        current = month_minutes(self._month_at(now_s // SECONDS_PER_MINUTE), self._zone)
        first = max(house.joined, current.start + 1)  # the month's first minute is its own round's
        month = self._month_at(first)
        whole = month_minutes(month, self._zone)
        rounds = []
        if first > whole.start:
            own = ContractRound(
                month=month,
                minutes=range(first, whole.stop),
                houses=(),
                opened_s=now_s,
                closes_s=whole.stop * SECONDS_PER_MINUTE,
                opened_by=author,
            )
            rounds.append(_with(self._rounds.get(_key(own), own), house.house))
        newest = self.newest
        if newest is not None and newest.minutes.start >= house.joined and now_s < newest.closes_s:
            rounds.append(_with(newest, house.house))
        return rounds

    def take(self, house: str, month: str, first_minute: int, wish: Wish, now_s: int) -> ContractRound | None:
        """A household's answer: the round to be stored with it, or None, and the refusal is kept."""
        key = (month, first_minute)
        asked = self._rounds.get(key)
        if asked is None or house not in asked.houses:
            return None  # nobody asked: the house is told how its own rounds stand
        entry = asked.entry_of(house)
        if entry is not None and entry.contract is not None and wish_of(entry.contract) == wish:
            return None  # the same answer again: the house has not heard that it was taken
        found = answer(asked, wish, self._agreed.terms.house(house), self._agreed.terms, now_s)
        if isinstance(found, dict):
            self._refusals[key, house] = found
            return None
        self._refusals.pop((key, house), None)
        agreed = replace(asked, entries=(*asked.entries, found))
        return agreed if agreed.waiting else replace(agreed, final_s=now_s)

    def stored(self, asked: ContractRound) -> None:
        """This round is on the disk as it is."""
        self._rounds[_key(asked)] = asked

    def refusal(self, asked: ContractRound, house: str) -> dict[str, str]:
        """What was wrong with the house's last answer in this round, by field; empty if nothing."""
        return self._refusals.get((_key(asked), house), {})

    def calls(self, house: str, last_max_w: int | None, now_s: int) -> Sequence[ContractCall]:
        """What the house is to be told of the rounds that concern it now, earliest month first.

        Nothing of a month for which no tariff is in force yet: nothing can be agreed for it.
        """
        minute = now_s // SECONDS_PER_MINUTE
        return [
            self._call(asked, house, last_max_w)
            for asked in self.rounds
            if house in asked.houses and asked.minutes.stop > minute and self._has_tariff(asked)
        ]

    def _call(self, asked: ContractRound, house: str, last_max_w: int | None) -> ContractCall:
        terms, entry = self._agreed.terms, asked.entry_of(house)
        return ContractCall(
            month=asked.month,
            first_minute=asked.minutes.start,
            end_minute=asked.minutes.stop,
            closes_s=asked.closes_s,
            tariff=terms.tariff_at(asked.minutes.start).national,
            connection_w=terms.house(house).connection_w,
            last=terms.contract_at(house, asked.minutes.start - 1),
            last_max_w=last_max_w,
            refusal=self.refusal(asked, house),
            basis=None if entry is None else entry.basis,
            agreed=None if entry is None else entry.contract,
            permitted=asked.final_s is not None,
        )

    def _opened(self, month: str, now_s: int, author: str) -> ContractRound:
        minutes = month_minutes(month, self._zone)
        members = (h.house for h in self._agreed.terms.houses if h.joined <= minutes.start < h.left)
        return ContractRound(
            month=month,
            minutes=minutes,
            houses=tuple(sorted(members)),
            opened_s=now_s,
            closes_s=minutes.start * SECONDS_PER_MINUTE,
            opened_by=author,
        )

    def _closing(self, now_s: int) -> list[ContractRound]:
        closing = []
        for asked in self.rounds:
            if asked.final_s is None and now_s >= asked.closes_s and self._has_tariff(asked):
                whole = self._is_whole(asked)
                silent = by_silence(asked, self.policy, self._agreed.terms, now_s) if whole else ()
                closing.append(replace(asked, entries=(*asked.entries, *silent), final_s=now_s))
        return closing

    def _is_whole(self, asked: ContractRound) -> bool:
        return asked.minutes.start == month_minutes(asked.month, self._zone).start

    def _has_tariff(self, asked: ContractRound) -> bool:
        first = asked.minutes.start
        return any(tariff.valid_from <= first < tariff.valid_to for tariff in self._agreed.terms.tariffs)

    def _current_and_next(self, minute: int) -> tuple[str, str]:
        current = self._month_at(minute)
        return current, self._month_at(month_minutes(current, self._zone).stop)

    def _month_at(self, minute: int) -> str:
        return month_of(minute, self._zone)


def _key(asked: ContractRound) -> tuple[str, int]:
    return asked.month, asked.minutes.start


def _with(asked: ContractRound, house: str) -> ContractRound:
    """The round with one more house to be asked, which makes it open again."""
    return replace(asked, houses=(*asked.houses, house), final_s=None)
