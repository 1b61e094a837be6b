"""The rule that made each amount of a minute, in words with the figures put in (docs/settlement.md)."""

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication

from central_monitor.books import MinuteProof
from microgrid.minute import MeterMinute
from microgrid.registers import limit_ws
from microgrid.terms import Contract, PenaltyBasis, Role
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE, WS_PER_KWH
from node.qt.bill_text import due_words
from node.qt.format import energy, money, number, power, price

_CONTEXT = "rule"
_CENT = MICROCOINS_PER_COIN // 100
_ROUNDING = 2  # micro-coins by which sharing out what does not divide may move an amount
translate = QCoreApplication.translate


class Step(NamedTuple):
    """One step from readings to an amount: what it is about, and how it comes about."""

    title: str
    text: str


def steps(proof: MinuteProof) -> list[Step]:
    """From the registers to the minute's total."""
    found = [Step(translate(_CONTEXT, "Energy"), _energy_words(proof))]
    if proof.microgrid_energy or proof.microgrid_amount:
        found.append(Step(translate(_CONTEXT, "Micro-grid"), _local_words(proof)))
    if proof.national_grid_energy or proof.national_grid_amount:
        found.append(Step(translate(_CONTEXT, "National grid"), _national_words(proof)))
    found += _penalty_steps(proof)
    found.append(Step(translate(_CONTEXT, "Total"), _total_words(proof)))
    return found


def minute_total(proof: MinuteProof) -> int:
    """What the house receives, or pays, for the minute; micro-coins."""
    penalties = proof.penalties.deficit_amount + proof.penalties.minimum_amount
    return proof.microgrid_amount + proof.national_grid_amount + penalties


def fine(energy_ws: int) -> str:
    """A minute's energy, fine enough to be multiplied by hand."""
    return str(energy(abs(energy_ws), decimals=6))


def coins(amount: int) -> str:
    """An exact amount with who pays it."""
    return f"{money(abs(amount), decimals=6)} {due_words(amount)}".strip()


def rate_words(rate: float) -> str:
    """A price to multiply by: exact, with two decimals where these are all there is."""
    return str(price(rate, decimals=2 if rate % _CENT == 0 else 6))


def _power_words(proof: MinuteProof) -> str:
    """The mean power of the minute and which way it went: "1.20 kW taken for a minute"."""
    mean = power(abs(proof.net_energy) / SECONDS_PER_MINUTE)
    if proof.net_energy < 0:
        return translate(_CONTEXT, "{0} taken for a minute = {1}").format(mean, fine(proof.net_energy))
    return translate(_CONTEXT, "{0} delivered for a minute = {1}").format(mean, fine(proof.net_energy))


def _energy_words(proof: MinuteProof) -> str:
    exact = number(abs(proof.net_energy), 0)
    words = translate(_CONTEXT, "{0} ({1} Ws, exactly).").format(_power_words(proof), exact)
    before, reading = proof.before, proof.row if proof.row is not None else proof.after
    if before is None or reading is None or reading.epoch != before.epoch:
        unknown = translate(
            _CONTEXT,
            "No two registers of one meter's run enclose the minute, so they do not tell its energy: it is"
            " estimated, and nothing the house owed in it is held against it.",
        )
        return f"{words} {unknown}"
    if not _plausible(proof, before, reading):
        unknown = translate(
            _CONTEXT,
            "Between the readings around the minute a register fell, or rose by more than the connection"
            " carries: that is no energy. It is estimated, and nothing the house owed is held against it.",
        )
        return f"{words} {unknown}"
    return f"{words} {_register_words(before, reading, proof.estimated)}"


def _plausible(proof: MinuteProof, before: MeterMinute, reading: MeterMinute) -> bool:
    """Whether the rises of the registers can be energy, as the settlement judges it (`energy`)."""
    seconds = (reading.minute - before.minute) * SECONDS_PER_MINUTE
    limit = float(limit_ws(np.array(proof.house.connection_w), seconds))
    rises = (reading.export_ws - before.export_ws, reading.import_ws - before.import_ws)
    return all(0 <= rise <= limit for rise in rises)


def _register_words(before: MeterMinute, reading: MeterMinute, estimated: bool) -> str:
    exported, imported = reading.export_ws - before.export_ws, reading.import_ws - before.import_ws
    minutes = reading.minute - before.minute
    rise = translate(_CONTEXT, "the export register rose by {0} and the import register by {1}").format(
        fine(exported), fine(imported)
    )
    if minutes == 1 and not estimated:
        return translate(_CONTEXT, "In the minute {0}.").format(rise)
    return translate(
        _CONTEXT,
        "In the {0} minutes between two readings {1}; this minute's part of it is estimated, and all parts"
        " add up to the registers.",
    ).format(number(minutes, 0), rise)


def as_posted(amount: int, energy_ws: int, unit_price: float) -> bool:
    """Whether an amount is this energy at this price, but for sharing out and for the price's last digit."""
    return abs(amount - energy_ws * unit_price / WS_PER_KWH) <= _ROUNDING + abs(energy_ws) / WS_PER_KWH


def _local_words(proof: MinuteProof) -> str:
    bought, amount = proof.microgrid_energy < 0, proof.microgrid_amount
    unit_price, name = price_of(proof)
    expected = round(proof.microgrid_energy * unit_price / WS_PER_KWH)
    words = translate(_CONTEXT, "{0} × {1} ({2}) = {3}.").format(
        fine(proof.microgrid_energy), rate_words(unit_price), name, coins(expected)
    )
    if as_posted(amount, proof.microgrid_energy, unit_price):
        if amount == expected:
            return words
        return (
            words
            + " "
            + translate(_CONTEXT, "Posted: {0}, as shares are whole micro-coins.").format(coins(amount))
        )
    return f"{words} {_posted(proof)} {_bought_reason(proof) if bought else _sold_reason(proof)}".strip()


def _posted(proof: MinuteProof) -> str:
    if not proof.microgrid_energy:
        return translate(_CONTEXT, "Posted: {0}.").format(coins(proof.microgrid_amount))
    mean = abs(proof.microgrid_amount) * WS_PER_KWH / abs(proof.microgrid_energy)
    return translate(_CONTEXT, "Posted: {0}, a mean of {1}.").format(
        coins(proof.microgrid_amount), rate_words(mean)
    )


def price_of(proof: MinuteProof) -> tuple[int, str]:
    """The price of the minute's energy in the micro-grid before any cap, and what it is called."""
    if proof.microgrid_energy >= 0:
        return _sold_at(proof)
    if proof.rate is None:
        return proof.tariff.national, translate(_CONTEXT, "nothing was exported: the tariff")
    return proof.rate, translate(_CONTEXT, "the minute's billed rate")


def _sold_at(proof: MinuteProof) -> tuple[int, str]:
    contract = _seller(proof)
    if contract is None:
        return proof.tariff.feed_in, translate(_CONTEXT, "no producer's contract: the feed-in price")
    return contract.price, translate(_CONTEXT, "the contract's price")


def _bought_reason(proof: MinuteProof) -> str:
    if proof.rate is None or proof.rate <= proof.tariff.national:
        return ""
    return translate(
        _CONTEXT,
        "Part of it is energy that the national grid delivered in place of sellers who are to blame; it is"
        " billed at the rate, but at most at the tariff (point 4).",
    )


def _sold_reason(proof: MinuteProof) -> str:
    contract = _seller(proof)
    if contract is None:
        return ""
    parts = []
    beyond = proof.net_energy - contract.max_w * SECONDS_PER_MINUTE
    if beyond > 0 or (proof.order is not None and proof.order.target_w is not None):
        parts.append(
            translate(
                _CONTEXT,
                "What was delivered beyond the contract's maximum of {0}, or beyond an acknowledged target,"
                " counts at the feed-in price of {1} (points 1 and 2).",
            ).format(power(contract.max_w), rate_words(proof.tariff.feed_in))
        )
    rate = proof.rate
    if rate is not None and contract.price > rate and (not parts or rate >= proof.tariff.national):
        parts.append(
            translate(
                _CONTEXT,
                "The cap kept the billed rate at {0}; sellers whose price is above it bear the difference.",
            ).format(rate_words(rate))
        )
    return " ".join(parts)


def _seller(proof: MinuteProof) -> Contract | None:
    contract = proof.contract
    return contract if contract is not None and contract.role is Role.PRODUCER else None


def _national_words(proof: MinuteProof) -> str:
    imported = proof.national_grid_energy < 0
    unit_price = proof.tariff.national if imported else proof.tariff.feed_in
    if unit_price and not proof.national_grid_amount:
        return translate(
            _CONTEXT,
            "{0}, at no money: with the tie to the national grid open nothing is posted at its prices"
            " (point 8).",
        ).format(fine(proof.national_grid_energy))
    name = translate(_CONTEXT, "the tariff") if imported else translate(_CONTEXT, "the feed-in price")
    words = translate(_CONTEXT, "{0} × {1} ({2}) = {3}.").format(
        fine(proof.national_grid_energy), rate_words(unit_price), name, coins(proof.national_grid_amount)
    )
    return f"{words} {_import_reason(proof) if imported else _export_reason(proof)}"


def _import_reason(proof: MinuteProof) -> str:
    market = translate(
        _CONTEXT, "All houses took {0} and delivered {1}; the national grid gave the rest."
    ).format(fine(proof.consumed), fine(proof.produced))
    taken = -proof.net_energy
    if proof.allotment is None:
        own = translate(_CONTEXT, "A house without a consumer's contract has no allotment (point 3).")
    elif taken > proof.allotment:
        own = translate(
            _CONTEXT,
            "The house took {0}, {1} more than its allotment of {2}: who is above it pays the tariff for what"
            " sellers could not give (point 3).",
        ).format(fine(taken), fine(taken - proof.allotment), fine(proof.allotment))
    else:
        own = translate(
            _CONTEXT,
            "The house stayed within its allotment of {0}; for this part of the import no seller is to blame,"
            " and buyers share it (point 4).",
        ).format(fine(proof.allotment))
    return f"{market} {own}"


def _export_reason(proof: MinuteProof) -> str:
    return translate(
        _CONTEXT, "All houses delivered {0} and took {1}; the surplus went to the national grid (point 2)."
    ).format(fine(proof.produced), fine(proof.consumed))


def _penalty_steps(proof: MinuteProof) -> list[Step]:
    parts, found = proof.penalties, []
    if parts.deficit_energy or parts.deficit_amount:
        title = translate(_CONTEXT, "Penalty: asked to raise and not delivered")
        found.append(Step(title, _deficit_words(proof)))
    if parts.minimum_energy or parts.minimum_amount:
        title = translate(_CONTEXT, "Penalty: below the minimum")
        found.append(Step(title, _minimum_words(proof)))
    return found


def deficit_price(proof: MinuteProof) -> tuple[int, str]:
    """What a kWh costs that was asked for and not delivered, and what that price is called (5.8.1)."""
    national = proof.tariff.national
    if proof.tariff.penalty_basis is PenaltyBasis.GRID_RATE:
        return national, translate(_CONTEXT, "the tariff")
    paid = national if proof.rate is None else min(proof.rate, national)
    return national - paid, translate(_CONTEXT, "the tariff less what buyers paid")


def _deficit_words(proof: MinuteProof) -> str:
    unit_price, basis = deficit_price(proof)
    words = translate(_CONTEXT, "{0} × {1} ({2}) = {3}.").format(
        fine(proof.penalties.deficit_energy),
        rate_words(unit_price),
        basis,
        coins(proof.penalties.deficit_amount),
    )
    return f"{words} {_raise_words(proof)}".strip()


def _raise_words(proof: MinuteProof) -> str:
    contract = _seller(proof)
    if contract is None:
        return ""
    order = proof.order
    goal = contract.max_w
    if order is not None and order.target_w is not None:
        goal = min(goal, order.target_w)
    delivered = max(0, proof.net_energy)
    return translate(
        _CONTEXT,
        "An acknowledged raise stood: {0} was asked for, {1} delivered, {2} missing. The national grid gave"
        " energy in its place; of that, sellers who fell short bear equal shares, none beyond its own"
        " shortfall (point 4).",
    ).format(
        power(goal),
        power(delivered / SECONDS_PER_MINUTE),
        fine(max(0, goal * SECONDS_PER_MINUTE - delivered)),
    )


def _minimum_words(proof: MinuteProof) -> str:
    words = translate(_CONTEXT, "{0} × {1} (the tariff) = {2}.").format(
        fine(proof.penalties.minimum_energy),
        rate_words(proof.tariff.national),
        coins(proof.penalties.minimum_amount),
    )
    contract = _seller(proof)
    if contract is None:
        return words
    least = contract.min_w
    if proof.order is not None and proof.order.target_w is not None:
        least = min(least, proof.order.target_w)
    reason = translate(
        _CONTEXT,
        "At least {0} was due, {1} was delivered; what the penalty above covers already is not charged again"
        " (point 5).",
    ).format(power(least), power(max(0, proof.net_energy) / SECONDS_PER_MINUTE))
    return f"{words} {reason}"


def _total_words(proof: MinuteProof) -> str:
    total = minute_total(proof)
    return coins(total) if total else translate(_CONTEXT, "Nothing to pay and nothing to receive.")
