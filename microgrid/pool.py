"""The pool and the rate as of one poll, for the screens (5.6, 5.7). Bills come from `settlement`."""

from collections.abc import Iterable
from dataclasses import dataclass

from microgrid.terms import Cap, Contract, Obligation, Role, Tariff
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH


@dataclass(frozen=True, slots=True)
class Reading:
    """One house at the poll: its contract in force, exchanged power (signed W) and grid breaker."""

    contract: Contract | None
    exchange_w: int
    connected: bool
    in_service: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """Powers in W; rates in micro-coins per kWh."""

    produced_w: int  # P_curr
    consumed_w: int  # Q_curr
    available_w: int  # Pmax of connected, obliged sellers
    rate: int | None  # SR_curr (5.7.1); None: nothing is exported
    billed_rate: int  # what a buyer's kWh costs now, under the cap
    allotment_w: int  # Pmax / M, before a buyer's own declared maximum

    @property
    def pool_w(self) -> int:
        """Power still available from sellers, `Pmax - Q` (5.6.4 with its signs put right)."""
        return self.available_w - self.consumed_w

    @property
    def national_w(self) -> int:
        """Power from the national grid, `Q - P` (5.7.2); negative flows out to it."""
        return self.consumed_w - self.produced_w


def obliged(contract: Contract, day: bool) -> bool:
    """Whether a producer owes its minimum now: a solar one obliged by daylight does not by night."""
    return contract.role is Role.PRODUCER and (day or contract.obligation is Obligation.ALWAYS)


def pool(readings: Iterable[Reading], tariff: Tariff, day: bool, credit: int) -> Pool:
    """The pool of one poll. `credit` is the cap's credit so far this month, in micro-coins."""
    everyone = list(readings)
    produced = sum(max(0, r.exchange_w) for r in everyone)
    consumed = sum(max(0, -r.exchange_w) for r in everyone)
    duty = [
        r.contract.max_w
        for r in everyone
        if r.contract is not None and obliged(r.contract, day) and r.connected and r.in_service
    ]
    buyers = sum(1 for r in everyone if r.contract is not None and r.contract.role is Role.CONSUMER)
    priced = [(max(0, r.exchange_w), _price(r.contract, tariff)) for r in everyone]
    rate = sum(p * price for p, price in priced) // produced if produced else None
    return Pool(
        produced_w=produced,
        consumed_w=consumed,
        available_w=sum(duty),
        rate=rate,
        billed_rate=_billed(rate, tariff, credit, min(produced, consumed)),
        allotment_w=sum(duty) // buyers if buyers else 0,
    )


def _price(contract: Contract | None, tariff: Tariff) -> int:
    is_seller = contract is not None and contract.role is Role.PRODUCER
    return contract.price if contract is not None and is_seller else tariff.feed_in


def _billed(rate: int | None, tariff: Tariff, credit: int, local_w: int) -> int:
    if rate is None or local_w == 0:
        return tariff.national
    if tariff.cap is Cap.OFF:
        return rate
    spare = credit * WS_PER_KWH // (local_w * SECONDS_PER_MINUTE) if tariff.cap is Cap.MONTH else 0
    return min(rate, tariff.national + spare)
