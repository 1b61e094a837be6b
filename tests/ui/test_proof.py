"""A minute's proof: the words' arithmetic is the settlement's, and every fact it rests on is told."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from central_monitor.books import MinuteProof
from central_monitor.ui.bills_proof import origin_words, proof_document, proof_title
from central_monitor.ui.bills_rule import as_posted, deficit_price, minute_total, price_of, steps
from central_monitor.ui.sharing_words import fate_words
from microgrid.minute import Fate, Hold, Origin
from microgrid.settlement import allotments, available_ws, settle
from microgrid.statement import PenaltyParts
from microgrid.terms import Cap, Contract, House, PenaltyBasis, Role, Source, Tariff
from microgrid.units import WS_PER_KWH, microcoins
from node.qt.paper import document_of
from node.qt.theme import DARK, load_theme
from tests.ui.reading import plain
from tests.ui.sample_books import ZONE, corrected_proof, make_proof, make_row, missing_proof
from tests.unit.rules.build import Case, cases


def changed(record, **changes):
    return msgspec.structs.replace(record, **changes)


def told(proof):
    return {step.title: plain(step.text) for step in steps(proof)}


def document(proof):
    return plain(document_of(proof_document(proof, ZONE, load_theme(DARK))).toPlainText())


def settled_proofs(case: Case):
    """Every minute and house of a settled block: the tie's state, whether a price is all, and the proof.

    A price is all for a seller within its limit that no cap can touch, and for a buyer at most at T.
    """
    terms, block = case.terms, case.block
    done = settle(terms, block, 0)
    rates = np.floor(done.local_amount / np.maximum(done.local_energy, 1) * WS_PER_KWH + 0.5).astype(int)
    allotted = allotments(terms, available_ws(terms, block))
    tariff = Tariff(
        valid_from=0, valid_to=9, national=terms.national, feed_in=terms.feed_in, cap=terms.cap,
        penalty_basis=terms.penalty_basis,
    )  # fmt: skip
    for minute, house in np.ndindex(block.net_ws.shape):
        role = Role.PRODUCER if terms.producer[house] else Role.CONSUMER
        contract = Contract(
            house="A", role=role, valid_from=0, valid_to=9, max_w=int(terms.max_w[house]),
            min_w=int(terms.min_w[house]), price=int(terms.price[house]), source=Source.SOLAR,
        )  # fmt: skip
        agreed = terms.producer[house] or terms.consumer[house]
        target = int(block.target_w[minute, house])
        order = make_proof("B").order
        limit_w = int(terms.max_w[house])
        if block.obeying[minute, house]:
            limit_w = min(limit_w, target + terms.deadband_w)
        rate = int(rates[minute]) if done.local_energy[minute] else None
        exported = int(block.net_ws[minute, house])
        if exported > 0 and terms.producer[house]:
            uncapped = terms.cap is Cap.OFF or terms.price[house] <= terms.national
            at_a_price = exported <= limit_w * 60 and bool(uncapped)
        else:
            at_a_price = exported > 0 or rate is None or rate <= terms.national
        yield bool(block.tie_closed[minute]), at_a_price, MinuteProof(
            house=House(house="A", name="", connection_w=1_000_000), minute=1, before=None, row=None,
            after=None, revisions=(), corrected_by="",
            order=changed(order, target_w=None if target < 0 else target),
            contract=contract if agreed else None, tariff=tariff,
            net_energy=int(block.net_ws[minute, house]), estimated=False,
            rate=rate,
            allotment=int(allotted[minute, house]) if terms.consumer[house] else None,
            produced=0, consumed=0,
            microgrid_energy=int(done.microgrid_energy[minute, house]),
            national_grid_energy=int(done.national_energy[minute, house]),
            microgrid_amount=int(done.microgrid_amount[minute, house]),
            national_grid_amount=int(done.national_amount[minute, house]),
            penalties=PenaltyParts(
                **{name: int(getattr(done, name)[minute, house]) for name in PenaltyParts.__struct_fields__}
            ),
        )  # fmt: skip


@given(cases(max_minutes=4))
@settings(max_examples=150, deadline=None)
def test_the_words_reckon_as_the_settlement_does(case: Case):
    for tie_closed, at_a_price, proof in settled_proofs(case):
        said = told(proof)
        parts, tariff = proof.penalties, proof.tariff
        if proof.microgrid_energy:
            reckoned = as_posted(proof.microgrid_amount, proof.microgrid_energy, price_of(proof)[0])
            assert reckoned or not at_a_price
            if not reckoned:
                assert "Posted:" in said["Micro-grid"]
                assert "(point" in said["Micro-grid"] or "The cap kept" in said["Micro-grid"]
        if proof.national_grid_energy:
            price = tariff.national if proof.national_grid_energy < 0 else tariff.feed_in
            if tie_closed:
                assert as_posted(proof.national_grid_amount, proof.national_grid_energy, price)
            elif price:
                assert "point 8" in said["National grid"]
        assert as_posted(-parts.deficit_amount, parts.deficit_energy, deficit_price(proof)[0])
        assert as_posted(-parts.minimum_amount, parts.minimum_energy, tariff.national)
        assert len([title for title in said if "Penalty" in title]) == bool(parts.deficit_energy) + bool(
            parts.minimum_energy
        )


def test_a_buyers_minute():
    said = told(make_proof("A"))
    assert said["Energy"] == (
        "1.20 kW taken for a minute = 0.020000 kWh (72,000 Ws, exactly). In the minute the export register"
        " rose by 0.000000 kWh and the import register by 0.020000 kWh."
    )
    assert said["Micro-grid"] == (
        "0.020000 kWh × 14.375000 coins/kWh (the minute's billed rate) = 0.287500 coins to pay."
    )
    assert said["Total"] == "0.287500 coins to pay"
    assert set(said) == {"Energy", "Micro-grid", "Total"}


def test_a_sellers_minute_with_a_penalty():
    proof = make_proof("B")
    said = told(proof)
    assert (
        said["Micro-grid"]
        == "0.025000 kWh × 8.00 coins/kWh (the contract's price) = 0.200000 coins to receive."
    )
    penalty = said["Penalty: asked to raise and not delivered"]
    assert penalty.startswith("0.005000 kWh × 17.60 coins/kWh (the tariff) = 0.088000 coins to pay. ")
    assert "2.50 kW was asked for, 1.50 kW delivered, 0.016667 kWh missing" in penalty
    assert minute_total(proof) == 112_000


def test_a_minimum_that_was_not_delivered():
    parts = PenaltyParts(minimum_energy=9_000, minimum_amount=-44_000)
    order = changed(make_proof("B").order, target_w=200)
    proof = replace(make_proof("B"), net_energy=3_000, penalties=parts, order=order)
    penalty = told(proof)["Penalty: below the minimum"]
    assert penalty.startswith(
        "0.002500 kWh × 17.60 coins/kWh (the tariff) = 0.044000 coins to pay. At least 0.20 kW"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allotment": 60_000}, "The house took 0.020000 kWh, 0.003333 kWh more than its allotment"),
        ({"allotment": 90_000}, "stayed within its allotment of 0.025000 kWh"),
        ({"allotment": None}, "has no allotment (point 3)"),
        ({"national_grid_amount": 0}, "at no money: with the tie to the national grid open"),
    ],
)
def test_energy_from_the_national_grid_has_its_reason(changes, said):
    proof = replace(
        make_proof("A"), microgrid_energy=0, microgrid_amount=0, national_grid_energy=-72_000,
        national_grid_amount=-352_000,
    )  # fmt: skip
    words = told(replace(proof, **changes))["National grid"]
    assert said in words
    assert words.startswith("0.020000 kWh")


def test_a_surplus_goes_to_the_national_grid_at_the_feed_in_price():
    tariff = Tariff(valid_from=0, valid_to=9, national=microcoins(17.6), feed_in=microcoins(5))
    proof = replace(
        make_proof("B"), microgrid_energy=0, microgrid_amount=0, national_grid_energy=90_000,
        national_grid_amount=125_000, tariff=tariff,
    )  # fmt: skip
    words = told(proof)["National grid"]
    assert words.startswith("0.025000 kWh × 5.00 coins/kWh (the feed-in price) = 0.125000 coins to receive.")
    assert "the surplus went to the national grid (point 2)" in words


def test_a_capped_seller_is_told_what_the_cap_took():
    contract = changed(make_proof("B").contract, price=microcoins(25))
    proof = replace(make_proof("B"), contract=contract, microgrid_amount=440_000, rate=microcoins(17.6))
    words = told(proof)["Micro-grid"]
    assert (
        "= 0.625000 coins to receive. Posted: 0.440000 coins to receive, a mean of 17.60 coins/kWh." in words
    )
    assert "The cap kept the billed rate at 17.60 coins/kWh" in words


def test_a_share_that_was_rounded_says_so():
    words = told(replace(make_proof("A"), microgrid_amount=-287_501))["Micro-grid"]
    assert words.endswith("Posted: 0.287501 coins to pay, as shares are whole micro-coins.")


def test_replacement_cost_is_the_tariff_less_what_buyers_paid():
    tariff = Tariff(
        valid_from=0, valid_to=9, national=microcoins(17.6), penalty_basis=PenaltyBasis.REPLACEMENT_COST
    )
    parts = PenaltyParts(deficit_energy=18_000, deficit_amount=-16_125)
    words = told(replace(make_proof("B"), tariff=tariff, penalties=parts))
    assert words["Penalty: asked to raise and not delivered"].startswith(
        "0.005000 kWh × 3.225000 coins/kWh (the tariff less what buyers paid) = 0.016125 coins to pay."
    )


def test_nothing_happened():
    quiet = replace(make_proof("A"), net_energy=0, microgrid_energy=0, microgrid_amount=0, rate=None)
    assert told(quiet)["Total"] == "Nothing to pay and nothing to receive."
    assert set(told(quiet)) == {"Energy", "Total"}


def test_registers_that_tell_nothing():
    first = make_proof("A")
    other = changed(first.row, epoch=4)
    for proof in (replace(first, before=None), replace(first, row=other), replace(first, row=None)):
        assert "they do not tell its energy: it is estimated" in told(proof)["Energy"]


@pytest.mark.parametrize("rise_ws", [-1, 10**9])
def test_a_register_that_fell_or_jumped_is_no_energy(rise_ws):
    first = make_proof("A")
    row = changed(first.row, import_ws=first.before.import_ws + rise_ws)
    proof = replace(first, row=row, net_energy=0, estimated=True)
    assert "that is no energy" in told(proof)["Energy"]


def test_a_missing_minute_is_a_part_of_what_the_registers_show():
    proof = missing_proof()
    assert "In the 3 minutes between two readings" in told(proof)["Energy"]
    text = document(proof)
    assert "No reading of this minute has come." in text
    assert "Next reading" in text
    assert "late" in text
    assert plain(proof_title(proof, ZONE)).endswith("0.287500 coins to pay  ·  ESTIMATED")


def test_a_corrected_reading_stands_beside_what_came():
    text = document(corrected_proof())
    assert "Corrected by S. Malik: the meter's display was read wrongly" in text
    assert text.index("Before") < text.index("As it came") < text.index("Corrected\n")
    assert {"342.935525", "343.155525", "342.955525"} <= set(text.split("\n"))


def test_every_fact_of_a_minute_is_told():
    text = document(make_proof("B"))
    for said in (
        "1.48 … 1.52 kW", "230.4", "5.31", "0.998", "49.98", "live", "Raise standing", "2.50 kW", "17",
        "producer (solar), 0.25 kW to 2.50 kW at 8.00 coins/kWh, obliged always", "over the month",
        "national tariff", "25 W", "5.00 kW", "0.040000 kWh", "0.050000 kWh",
    ):  # fmt: skip
        assert said in text, said
    assert "None: only sellers are given orders." in document(make_proof("A"))


@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("cap", list(Cap))
def test_every_kind_of_order_and_cap_has_its_words(hold, cap):
    proof = make_proof("B")
    order = changed(
        proof.order, hold=hold, target_w=None, acknowledged_s=None, command_id=0, tie_closed=False,
        out_of_service=True,
    )  # fmt: skip
    text = document(replace(proof, order=order, tariff=changed(proof.tariff, cap=cap)))
    assert "not acknowledged" in text
    held = {
        Hold.NONE: "no", Hold.SHARING: "by load sharing", Hold.CAP: "by the cap",
        Hold.OPERATOR: "by the operator",
    }  # fmt: skip
    assert held[hold] in text.split("\n")
    assert {Cap.MONTH: "over the month", Cap.MINUTE: "in each minute", Cap.OFF: "off"}[cap] in text


@pytest.mark.parametrize("fate", list(Fate))
def test_what_became_of_the_order_is_told(fate):
    proof = make_proof("B")
    text = document(replace(proof, order=changed(proof.order, fate=fate)))
    assert f"What became of it\n{fate_words(fate) or 'no order'}" in text


def test_quality_and_origin_of_a_reading():
    proof = make_proof("A")
    gap = make_row("A", 1, covered_s=40)
    suspect = make_row("A", 1, suspect=3)
    assert "good, with a gap" in document(replace(proof, row=gap))
    assert "3 packets with a fault" in document(replace(proof, row=suspect))
    assert len({origin_words(origin) for origin in Origin}) == len(Origin)


def test_names_are_no_markup():
    proof = replace(make_proof("A"), corrected_by="<b>x</b>: a & b")
    assert "Corrected by <b>x</b>: a & b" in document(proof)
