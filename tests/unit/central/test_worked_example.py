"""The example of docs/load-sharing.md, minute by minute: what follows from raise commands for two sellers."""

import numpy as np

from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.minute import OrderMinute
from microgrid.months import month_of, zone_of
from microgrid.terms import Source
from microgrid.units import coins
from tests.unit.central.parts import NOON, ZONE, buyer, row, seller, terms
from tests.unit.central.steered import NOON_S, Steered, reading

SUN, DIESEL, BUYER = seller("B", 8, source=Source.SOLAR), seller("D", 12), buyer("A")
DEMAND_W = 2000
# What B and D give from noon on, and whether B is linked.
GIVEN = [(1750, 250, True), (600, 250, True), (600, 250, True), (600, 1400, True), (600, 0, True),
         (600, 0, False), (600, 0, True)]  # fmt: skip

# The table of the document: what each is held to in W (None: nothing stands), import in W, coins of penalty.
TABLE = [
    ((1750, 250), 0, (0.0, 0.0)),
    ((1750, 250), 1150, (0.337333, 0.0)),
    ((1750, 250), 1150, (0.337333, 0.0)),
    ((1750, 250), 0, (0.0, 0.0)),
    ((1750, 1400), 1400, (0.205334, 0.205333)),
    ((None, 1400), 1400, (0.0, 0.410667)),
    ((None, 1400), 1400, (0.0, 0.410667)),
]


def lived():
    """The orders of these minutes, as the controller records them; every meter acknowledges at once."""
    steered = Steered(SUN, DIESEL, BUYER)
    steered.now_s = NOON_S - 120
    steered.step(A=-DEMAND_W, B=0, D=0)
    steered.acknowledge("B", "D")
    steered.step(A=-DEMAND_W, B=1740, D=240)
    orders: list[OrderMinute] = []
    for minute, (sun_w, diesel_w, linked) in enumerate(GIVEN, start=NOON):
        steered.acknowledge(*steered.control.orders)
        steered.hear(A=-DEMAND_W, B=reading(sun_w, linked=linked), D=diesel_w)
        orders += steered.record(minute).values()
        steered.step(A=-DEMAND_W, B=reading(sun_w, linked=linked), D=diesel_w)
    return orders


def settled(orders):
    """Penalties in coins of B and D, and the import in W, minute by minute."""
    agreed = terms(SUN, DIESEL, BUYER)
    houses, minutes = ("A", "B", "D"), range(NOON, NOON + len(GIVEN))
    registers = {house: [0, 0] for house in houses}
    rows = []
    for minute, (sun_w, diesel_w, _) in zip(minutes, GIVEN, strict=True):
        for house, power_w in (("A", -DEMAND_W), ("B", sun_w), ("D", diesel_w)):
            registers[house][power_w > 0] += abs(power_w) * 60
            rows.append(row(house, minute, *registers[house]))
    month = month_of(NOON, zone_of(ZONE))
    ledger = MonthLedger(agreed, month)
    before = range(ledger.minutes.start, NOON)
    opening = {house: row(house, NOON - 1) for house in houses}
    at_rest = [row(house, before.start) for house in houses] + list(opening.values())
    ledger.add(minute_columns(houses, before, at_rest, {}), order_columns(houses, before, []))
    (segment,) = ledger.segments(
        minute_columns(houses, minutes, rows, opening), order_columns(houses, minutes, orders)
    )
    penalties = -segment.settled.penalty_amount
    imported_w = np.maximum(0, -segment.block.net_ws.sum(axis=1)) // 60
    return penalties[:, 1:].tolist(), imported_w.tolist()


def test_what_sellers_are_held_to_and_pay_is_the_documents_table():
    orders = lived()
    penalties, imported_w = settled(orders)
    by_minute = {(order.minute, order.house): order for order in orders}
    for place, (held_to, import_w, owed) in enumerate(TABLE):
        found = []
        for house in "BD":
            order = by_minute[NOON + place, house]
            due = order.acknowledged_s is not None and order.acknowledged_s + 60 <= (NOON + place) * 60
            found.append(order.target_w if order.raise_standing and due else None)
        assert tuple(found) == held_to, place
        assert imported_w[place] == import_w, place
        assert tuple(round(coins(amount), 6) for amount in penalties[place]) == owed, place
