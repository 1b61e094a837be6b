"""Blocks, columns and terms for the tests of the trading rules, made from few figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from microgrid.block import Block, BlockTerms, Settled
from microgrid.columns import MinuteColumns, OrderColumns, minute_columns, order_columns
from microgrid.daybook import LedgerPoint
from microgrid.ledger import MonthLedger
from microgrid.minute import Hold, MeterMinute, OrderMinute
from microgrid.months import month_minutes, zone_of
from microgrid.statement import Statements
from microgrid.terms import Cap, Contract, House, PenaltyBasis, Role, Source, Tariff, Terms
from microgrid.units import microcoins

FOREVER = 2**31
T = microcoins(17.6)
ZONE = "Asia/Karachi"
MONTH = "2026-06"
FIRST = month_minutes(MONTH, zone_of(ZONE)).start
HOUSE_COLUMNS = (
    "microgrid_energy",
    "national_energy",
    "microgrid_amount",
    "national_amount",
    "deficit_energy",
    "deficit_amount",
    "minimum_energy",
    "minimum_amount",
)
MINUTE_FIGURES = (
    "grid_microgrid_energy",
    "grid_national_energy",
    "grid_microgrid_amount",
    "grid_national_amount",
    "reserve_microgrid_amount",
    "reserve_penalty_amount",
    "losses_energy",
    "local_energy",
    "local_amount",
)


def block_terms(
    roles: str,
    *,
    max_w: Sequence[int],
    price: Sequence[int] | None = None,
    min_w: Sequence[int] | None = None,
    daylight_only: Sequence[bool] | None = None,
    national: int = T,
    feed_in: int = 0,
    cap: Cap = Cap.OFF,
    basis: PenaltyBasis = PenaltyBasis.GRID_RATE,
    deadband_w: int = 0,
) -> BlockTerms:
    """Terms of a block; `roles` has a letter a house: p producer, c consumer, - neither."""
    none = [0] * len(roles)
    return BlockTerms(
        producer=np.array([role == "p" for role in roles]),
        consumer=np.array([role == "c" for role in roles]),
        daylight_only=np.array(daylight_only or none, dtype=np.bool_),
        max_w=np.array(max_w, dtype=np.int64),
        min_w=np.array(min_w or none, dtype=np.int64),
        price=np.array(price or none, dtype=np.int64),
        national=national,
        feed_in=feed_in,
        cap=cap,
        penalty_basis=basis,
        deadband_w=deadband_w,
    )


def block(
    power_w: Sequence[int], minutes: int = 1, *, raised: Sequence[bool] = (), obeying: Sequence[bool] = (),
    target_w: Sequence[int] = (), closed_s: Sequence[int] = (), out_of_service: Sequence[bool] = (),
    day: bool = True, tie_closed: bool = True, known: Sequence[bool] = (),
) -> Block:  # fmt: skip
    """The same minute `minutes` times over; `power_w` is each house's constant exchange."""
    houses = len(power_w)

    def rows(values: Sequence[int] | Sequence[bool], default: int | bool, kind: type) -> np.ndarray:
        return np.tile(np.array(list(values) or [default] * houses, dtype=kind), (minutes, 1))

    return Block(
        net_ws=rows(power_w, 0, np.int64) * 60,
        closed_s=rows(closed_s, 60, np.int64),
        raise_standing=rows(raised, False, np.bool_),
        obeying=rows(obeying, False, np.bool_),
        target_w=rows(target_w, -1, np.int64),
        out_of_service=rows(out_of_service, False, np.bool_),
        is_day=np.full(minutes, day),
        tie_closed=np.full(minutes, tie_closed),
        known=rows(known, True, np.bool_),
    )


def assert_conserved(settled: Settled, net_ws: np.ndarray) -> None:
    """Energy and every column of money sum to zero in every minute."""
    s = settled
    assert not (s.microgrid_energy.sum(axis=1) + s.grid_microgrid_energy).any()
    assert not (s.national_energy.sum(axis=1) + s.grid_national_energy + s.losses_energy).any()
    assert not (s.microgrid_amount.sum(axis=1) + s.grid_microgrid_amount + s.reserve_microgrid_amount).any()
    assert not (s.national_amount.sum(axis=1) + s.grid_national_amount).any()
    assert not (s.penalty_amount.sum(axis=1) + s.reserve_penalty_amount).any()
    # What a house is billed for is what its register says, to the watt-second.
    assert (s.microgrid_energy + s.national_energy == net_ws).all()


@dataclass(frozen=True)
class Case:
    """A random block under random terms."""

    terms: BlockTerms
    block: Block


@st.composite
def cases(draw: st.DrawFn, *, caps: Sequence[Cap] = tuple(Cap), max_minutes: int = 12) -> Case:
    """Few houses, small to large figures, every order and breaker state at random."""
    houses, minutes = draw(st.integers(1, 7)), draw(st.integers(0, max_minutes))
    roles = draw(st.text("pc-", min_size=houses, max_size=houses))
    national = draw(st.integers(1, 500_000_000))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1, 50, 4000, 1_000_000]))
    max_w = random.integers(1, scale + 1, houses)
    terms = block_terms(
        roles,
        max_w=list(max_w),
        min_w=list(random.integers(0, max_w + 1)),
        price=list(random.integers(0, 2 * national, houses)),
        daylight_only=list(random.random(houses) < 0.4),
        national=national,
        feed_in=draw(st.sampled_from([0, national // 3, national])),
        cap=draw(st.sampled_from(caps)),
        basis=draw(st.sampled_from(list(PenaltyBasis))),
        deadband_w=draw(st.sampled_from([0, 25])),
    )
    shape = (minutes, houses)
    raised = random.random(shape) < 0.5
    return Case(
        terms,
        Block(
            net_ws=random.integers(-60 * scale, 60 * scale + 1, shape) * (random.random(shape) < 0.9),
            closed_s=np.where(random.random(shape) < 0.8, 60, random.integers(0, 61, shape)),
            raise_standing=raised,
            obeying=~raised & (random.random(shape) < 0.3),
            target_w=np.where(
                raised & (random.random(shape) < 0.5), -1, random.integers(0, scale + 1, shape)
            ),
            out_of_service=random.random(shape) < 0.1,
            is_day=random.random(minutes) < 0.5,
            tie_closed=random.random(minutes) < 0.9,
            known=random.random(shape) < 0.9,
        ),
    )


def rows_of(minutes: Block, rows: slice | np.ndarray) -> Block:
    """Some minutes of a block."""
    return replace(minutes, **{name: value[rows] for name, value in vars(minutes).items()})


def seller(
    house: str, price: float, *, min_kw: float = 0.25, max_kw: float = 2.5, **more: object
) -> Contract:
    """A generator's contract for ever, prices in coins."""
    return Contract(
        **{
            "house": house,
            "role": Role.PRODUCER,
            "valid_from": 0,
            "valid_to": FOREVER,
            "min_w": round(min_kw * 1000),
            "max_w": round(max_kw * 1000),
            "price": microcoins(price),
            "source": Source.GENERATOR,
            **more,
        }  # type: ignore[arg-type]
    )


def buyer(house: str, *, max_kw: float = 5.0) -> Contract:
    """A consumer's contract for ever."""
    return Contract(
        house=house, role=Role.CONSUMER, valid_from=0, valid_to=FOREVER, max_w=round(max_kw * 1000)
    )


def terms_of(*contracts: Contract, tariffs: tuple[Tariff, ...] = (), zone: str = ZONE) -> Terms:
    """Terms of the houses that have contracts, each with a connection of 10 kW."""
    names = sorted({contract.house for contract in contracts})
    return Terms(
        zone=zone,
        houses=tuple(House(house=name, name=name, connection_w=10_000) for name in names),
        contracts=contracts,
        tariffs=tariffs or (Tariff(valid_from=0, valid_to=FOREVER, national=T),),
    )


def meter_minute(house: str, minute: int, export_ws: int, import_ws: int = 0, **more: int) -> MeterMinute:
    """A meter minute with these registers, unremarkable otherwise."""
    plain = {"epoch": 0, "generation_ws": export_ws, "closed_s": 60, "covered_s": 60, "max_w": 0, "min_w": 0}
    means = {"voltage_mv": 230_000, "current_ma": 1, "power_factor_milli": 1000, "frequency_mhz": 50_000}
    values: dict[str, Any] = {**plain, **means, "suspect": 0, **more}
    return MeterMinute(house=house, minute=minute, export_ws=export_ws, import_ws=import_ws, **values)


def order(house: str, minute: int, **more: object) -> OrderMinute:
    """An order minute: nothing asked, tie closed, unless said otherwise."""
    plain = {"raise_standing": False, "target_w": None, "hold": Hold.NONE, "command_id": 0}
    values = {**plain, "acknowledged_s": None, "tie_closed": True, **more}
    return OrderMinute(house=house, minute=minute, **values)  # type: ignore[arg-type]


def history(powers_w: Mapping[str, Sequence[int | None]], first: int = FIRST) -> dict[str, list[MeterMinute]]:
    """Each house's rows for constant powers minute by minute (None: not heard), with the opening row."""
    result = {}
    for house, powers in powers_w.items():
        out = taken = 1000
        rows = [meter_minute(house, first - 1, out, taken)]
        for offset, power in enumerate(powers):
            out += 60 * max(0, power or 0)
            taken += 60 * max(0, -(power or 0))
            if power is not None:
                rows.append(meter_minute(house, first + offset, out, taken, max_w=power, min_w=power))
        result[house] = rows
    return result


def month_of_rows(
    terms: Terms,
    rows: Mapping[str, Sequence[MeterMinute]],
    orders: Iterable[OrderMinute] = (),
    *,
    count: int,
    cuts: Iterable[int] = (),
    start: LedgerPoint | None = None,
) -> tuple[Statements, MonthLedger]:
    """The statements of `count` minutes from the month's first or `start` on, cut into blocks at `cuts`."""
    ledger = MonthLedger(terms, MONTH, start=start)
    given = list(orders)
    begun = ledger.point().minute
    for first, end in pairwise([0, *sorted(cuts), count]):
        minutes = range(begun + first, begun + end)
        ledger.add(
            read(ledger.houses, minutes, rows),
            order_columns(ledger.houses, minutes, [o for o in given if o.minute in minutes]),
        )
    return ledger.statements(), ledger


def read(houses: tuple[str, ...], minutes: range, rows: Mapping[str, Sequence[MeterMinute]]) -> MinuteColumns:
    """The columns of a range with the nearest row outside it on either side, as the database gives them."""
    before = {h: [r for r in mine if r.minute < minutes.start] for h, mine in rows.items()}
    after = {h: [r for r in mine if r.minute >= minutes.stop] for h, mine in rows.items()}
    return minute_columns(
        houses,
        minutes,
        [r for mine in rows.values() for r in mine if r.minute in minutes],
        {h: found[-1] for h, found in before.items() if found},
        {h: found[0] for h, found in after.items() if found},
    )


def no_orders(houses: tuple[str, ...], minutes: range) -> OrderColumns:
    """Orders of minutes in which nothing was ordered."""
    return order_columns(houses, minutes, [])
