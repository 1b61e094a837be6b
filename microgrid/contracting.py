"""The monthly contract: what a household may ask for, and the round in which all are asked (5.3-5.5)."""

from enum import StrEnum

import msgspec

from microgrid.agreements import Basis, ContractEntry
from microgrid.terms import Contract, House, Obligation, Role, Source, Terms, field_faults
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE


class Silence(StrEnum):
    """What a house gets that does not answer in time."""

    LAST = "last"  # last month's contract again
    NONE = "none"


class ContractPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When households are asked, and what silence means."""

    opens_days: int = 3  # before the month
    silence: Silence = Silence.LAST

    def opens_at(self, month: range) -> int:
        """The minute at which the contracts of a month are asked for."""
        return month.start - self.opens_days * MINUTES_PER_DAY


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a household asks for: a contract without its months (Figs 5.3-5.5)."""

    role: Role
    max_w: int
    min_w: int = 0
    price: int = 0
    source: Source | None = None
    obligation: Obligation = Obligation.ALWAYS

    def contract(self, house: str, minutes: range) -> Contract:
        """The contract this makes for these minutes; of a consumer's only its maximum counts."""
        agreed = self if self.role is Role.PRODUCER else Wish(role=self.role, max_w=self.max_w)
        return Contract(
            house=house, valid_from=minutes.start, valid_to=minutes.stop, **msgspec.structs.asdict(agreed)
        )


def wish_of(contract: Contract) -> Wish:
    """The wish that would make this contract again."""
    return Wish(**{name: getattr(contract, name) for name in Wish.__struct_fields__})


def wish_faults(wish: Wish, connection_w: int, national: int) -> dict[str, str]:
    """What is wrong with a wish, a sentence for each field of `Wish` that has to change.

    `national` is the tariff at the month's start, micro-coins per kWh; `connection_w` what the house's
    connection carries.
    """
    return field_faults(wish.contract("", range(0, 1)), connection_w, national)


class ContractRound(msgspec.Struct, frozen=True, kw_only=True):
    """The houses that are asked for a contract for these minutes of a month, and who has agreed.

    The month's own round asks all houses before it begins and closes at its first minute. A house that
    joins later gets a round of its own, which closes with the month.
    """

    month: str
    minutes: range
    houses: tuple[str, ...]
    opened_s: int
    closes_s: int
    opened_by: str
    final_s: int | None = None  # when all had agreed or the policy was applied
    entries: tuple[ContractEntry, ...] = ()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The houses that have not agreed yet."""
        agreed = {entry.house for entry in self.entries}
        return tuple(house for house in self.houses if house not in agreed)

    def entry_of(self, house: str) -> ContractEntry | None:
        """What was agreed for this house; None if nothing yet."""
        return next((entry for entry in self.entries if entry.house == house), None)


def answer(
    asked: ContractRound, wish: Wish, house: House, terms: Terms, now_s: int
) -> ContractEntry | dict[str, str]:
    """The entry a household's answer makes, or what is wrong with it by field ('': the answer itself).

    A month's role and parameters are final: a house that has agreed cannot agree again (5.4).
    """
    if house.house not in asked.waiting:
        return {"": f"The contract for {asked.month} is agreed already; it is final for the month."}
    if asked.final_s is not None or now_s >= asked.closes_s:
        return {"": f"The contracts for {asked.month} are closed; you will be asked for the next month."}
    first = max(asked.minutes.start, house.joined, now_s // SECONDS_PER_MINUTE + 1)
    minutes = range(first, min(asked.minutes.stop, house.left))
    if not minutes:
        return {"": f"House {house.house} is no longer part of the micro-grid in {asked.month}."}
    try:
        national = terms.tariff_at(first).national
    except LookupError as fault:
        return {"": f"Nothing can be agreed yet; ask the operator. {fault}"}
    faults = wish_faults(wish, house.connection_w, national)
    if faults:
        return faults
    return _entry(asked, house.house, wish.contract(house.house, minutes), minutes, Basis.ANSWERED, now_s)


def by_silence(
    asked: ContractRound, policy: ContractPolicy, terms: Terms, now_s: int
) -> tuple[ContractEntry, ...]:
    """Entries for the houses that did not answer: last month's contract again, or none.

    A contract that would be refused now (the tariff fell below its solar price) is not carried over.
    LookupError if no tariff is in force for the month.
    """
    return tuple(_silent(asked, terms.house(house), policy, terms, now_s) for house in asked.waiting)


def _silent(
    asked: ContractRound, house: House, policy: ContractPolicy, terms: Terms, now_s: int
) -> ContractEntry:
    minutes = range(max(asked.minutes.start, house.joined), min(asked.minutes.stop, house.left))
    last = terms.contract_at(house.house, asked.minutes.start - 1)
    if policy.silence is Silence.LAST and last is not None and minutes:
        wish = wish_of(last)
        if not wish_faults(wish, house.connection_w, terms.tariff_at(minutes.start).national):
            contract = wish.contract(house.house, minutes)
            return _entry(asked, house.house, contract, minutes, Basis.CARRIED_OVER, now_s)
    return _entry(asked, house.house, None, minutes, Basis.NO_ANSWER, now_s)


def _entry(
    asked: ContractRound, house: str, contract: Contract | None, minutes: range, basis: Basis, now_s: int
) -> ContractEntry:
    return ContractEntry(
        house=house,
        month=asked.month,
        valid_from=minutes.start,
        valid_to=minutes.stop,
        contract=contract,
        basis=basis,
        author=f"house {house}" if basis is Basis.ANSWERED else "policy",
        note="",
        entered_s=now_s,
    )
