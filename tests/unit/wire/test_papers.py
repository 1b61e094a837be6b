"""Contracts, bills and installers' records as bodies: every field within limits, at both ends."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from microgrid.bill import Adjustment, Bill, BillCheck
from microgrid.contracting import Wish
from microgrid.statement import Account
from microgrid.swap import MeterSwap
from microgrid.terms import FOREVER, Contract
from microgrid.wire import limits as lim
from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.lan import MAX_BODY_BYTES
from microgrid.wire.limits import printable
from microgrid.wire.messages import (
    Deliver,
    Delivered,
    ErrorMessage,
    Message,
    Post,
    tag_of,
)
from tests.unit.wire.ends import (
    ACKNOWLEDGED,
    BATCH,
    FETCH,
    REFUSED,
    fault,
    raw,
)
from tests.unit.wire.examples import (
    ADJUSTED,
    ADJUSTMENT,
    ANSWER,
    BILL,
    CALL,
    CONTRACT,
    FETCH_POST,
    HELLO,
    MONTH,
    TAKEN,
    WELCOME,
    WISH,
    deliver,
    delivered,
    poll,
    post,
    reply,
    target,
    target_ack,
)

SPAN = lim.MAX_MONTH_MINUTES

GOLDEN: dict[str, Message] = {
    "hello": HELLO,
    "reply": reply(1),
    "minutes": BATCH,
    "target_ack": target_ack(1),
    "post": post(1),
    "delivered": delivered(1),
    "error": ErrorMessage(house="B", request_id=1, code="not_available", text="Starting."),
    "welcome": WELCOME,
    "poll": poll(1),
    "refused": REFUSED,
    "fetch": FETCH,
    "acknowledged": ACKNOWLEDGED,
    "target": target(1),
    "contract_call": CALL,
    "fetch_post": FETCH_POST,
    "post_taken": TAKEN,
    "deliver": deliver(1),
    "month_so_far": MONTH,
}


def test_the_golden_bodies_that_every_implementation_must_read_and_write_alike() -> None:
    lines = Path(__file__).with_name("golden_bodies.txt").read_text(encoding="ascii").splitlines()
    bodies = dict(line.split() for line in lines if not line.startswith("#"))
    assert {name: encode_body(message).hex() for name, message in GOLDEN.items()} == bodies
    assert {name: decode_body(bytes.fromhex(body)) for name, body in bodies.items()} == GOLDEN
    assert [tag_of(message) for message in GOLDEN.values()] == list(GOLDEN)
    assert {type(message) for message in GOLDEN.values()} == set(Message.__args__)


def test_records_come_back_as_what_they_were() -> None:
    heard = decode_body(encode_body(post(1)))
    assert isinstance(heard, Post)
    assert heard.answer is not None
    assert (type(heard.answer.wish), type(heard.swap)) == (Wish, MeterSwap)
    heard = decode_body(encode_body(deliver(1)))
    assert isinstance(heard, Deliver)
    bill = heard.bill
    assert bill is not None
    kinds = (type(bill), type(bill.account), type(bill.contract), type(bill.adjustments[0]))
    assert kinds == (Bill, Account, Contract, Adjustment)
    heard = decode_body(encode_body(delivered(1)))
    assert isinstance(heard, Delivered)
    assert type(heard.check) is BillCheck


def spoilt(message: Message, path: str, value: object) -> dict[str, Any]:
    """The message as a map, with this value at a path such as `bill.account.total`."""
    body = raw(message)
    *parents, last = path.split(".")
    inner: Any = body
    for name in parents:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    inner[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("answer.month", "2025-13"),
        ("answer.month", "0000-01"),
        ("answer.month", "1969-12"),
        ("answer.month", "\u0662\u0660\u0662\u0665-03"),  # digits, but not ours
        ("answer.month", "2025-03\n"),
        ("answer.month", "2025-3"),
        ("answer.first_minute", -1),
        ("answer.first_minute", lim.MAX_MINUTE + 1),
        ("answer.wish.role", "bystander"),
        ("answer.wish.max_w", lim.MAX_POWER_W + 1),
        ("answer.wish.max_w", 2500.5),
        ("answer.wish.min_w", -lim.MAX_POWER_W - 1),
        ("answer.wish.price", 2**63),
        ("answer.wish.source", "wind"),
        ("answer.wish.unknown", 1),
        ("answer.unknown", 1),
        ("swap.house", "../B"),
        ("swap.at_s", -1),
        ("swap.at_s", lim.MAX_TIME_S + 1),
        ("swap.old.import_ws", -1),
        ("swap.new.export_ws", 2**63),
        ("swap.installer", "x" * 121),
        ("swap.installer", "Ayesha\x1b[2J"),
        ("swap.reason", "x" * 121),
        ("swap.old_meter", "x" * 81),
        ("swap.unknown", 1),
        ("unknown", 1),
    ],
)
def test_post_has_limits_in_every_field(path: str, value: object) -> None:
    error = fault(spoilt(post(1), path, value))
    assert error.code is WireCode.BAD_FIELD
    assert path.split(".")[-1] in error.text


@pytest.mark.parametrize(
    "wish",
    [
        replace(WISH, max_w=0, min_w=-5),
        replace(WISH, max_w=lim.MAX_POWER_W, min_w=-lim.MAX_POWER_W),
        replace(WISH, price=-1),
        replace(WISH, price=10 * 500_000_000),
        replace(WISH, source=None),
    ],
)
def test_a_wish_that_will_be_refused_in_words_may_travel(wish: Wish) -> None:
    message = replace(post(1), answer=replace(ANSWER, wish=wish))
    assert decode_body(encode_body(message)) == message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bill.house", "B/C"),
        ("bill.name", "x" * 81),
        ("bill.name", "Bilal\u202e"),
        ("bill.month", "2025-00"),
        ("bill.zone", "Nowhere/Land"),
        ("bill.kind", "joke"),
        ("bill.end_minute", BILL.first_minute - 1),
        ("bill.end_minute", BILL.first_minute + SPAN + 1),
        ("bill.issued_s", lim.MAX_TIME_S + 1),
        ("bill.tariff", -1),
        ("bill.account.total", 2**63),
        ("bill.account.role", "x" * 81),
        ("bill.account.max_power_kw", float("nan")),
        ("bill.account.min_power_kw", float("-inf")),
        ("bill.account.estimated_minutes", -1),
        ("bill.account.unknown", 1),
        ("bill.penalties.deficit_amount", -(2**63)),
        ("bill.contract.price", 2**40),
        ("bill.contract.valid_to", FOREVER + 1),
        ("bill.contract.max_w", 10**9),
        ("bill.adjustments.0.reason", "a\nb"),
        ("bill.adjustments.0.causes", ["late minutes"] * 6),
        ("bill.adjustments.0.causes", ["house C"]),
        ("bill.adjustments.0.number", -1),
        ("bill.adjustments.0.waiver", -1),
        ("bill.unknown", 1),
    ],
)
def test_a_bill_has_limits_in_every_field(path: str, value: object) -> None:
    assert fault(spoilt(deliver(1), path, value)).code is WireCode.BAD_FIELD


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("adjustment.account", ""),
        ("adjustment.made_s", 2**64 - 1),
        ("adjustment.energy", 2**64 - 1),
        ("adjustment.reason", "x" * (lim.MAX_TOLD_CHARS + 1)),
        ("adjustment.unknown", 1),
    ],
)
def test_an_adjustment_has_limits_in_every_field(path: str, value: object) -> None:
    assert fault(spoilt(ADJUSTED, path, value)).code is WireCode.BAD_FIELD


@pytest.mark.parametrize(
    ("message", "path", "value"),
    [
        (CALL, "end_minute", CALL.first_minute),
        (CALL, "end_minute", CALL.first_minute + SPAN + 1),
        (CALL, "closes_s", -1),
        (CALL, "connection_w", 0),
        (CALL, "tariff", 2**40),
        (CALL, "last_max_w", 2**40),
        (CALL, "last.role", "observer"),
        (CALL, "refusal", {"": "x" * 301}),
        (CALL, "refusal", {"max_w": "a\x00b"}),
        (CALL, "refusal", {"<b>": "no"}),
        (CALL, "refusal", {"a" * n: "no" for n in range(17)}),
        (CALL, "basis", "a whim"),
        (MONTH, "through", -1),
        (MONTH, "microgrid_amount", 2**64 - 1),
        (MONTH, "penalties.minimum_energy", 2**64 - 1),
        (MONTH, "adjustments", 1.5),
        (delivered(1), "check.own_least", 2**64 - 1),
        (delivered(1), "check.verdict", "no idea"),
        (delivered(1), "check.sums_right", 1),
        (WELCOME, "zone", "Nowhere/Land"),
        (WELCOME, "central_time_ms", 253_402_300_799_000),  # no local time east of Greenwich
    ],
)
def test_what_is_said_of_a_month_has_limits(message: Message, path: str, value: object) -> None:
    assert fault(spoilt(message, path, value)).code is WireCode.BAD_FIELD


def test_an_open_end_travels() -> None:
    message = replace(CALL, last=replace(CONTRACT, valid_to=FOREVER))
    assert decode_body(encode_body(message)) == message


def test_a_delivery_holds_one_paper() -> None:
    for wrong in (Deliver(request_id=1), Deliver(request_id=1, bill=BILL, adjustment=ADJUSTMENT)):
        with pytest.raises(WireError, match="either"):
            encode_body(wrong)


def test_the_largest_bill_fits_and_a_larger_one_is_refused() -> None:
    widest = Adjustment(
        account="x" * 32,
        month="2025-02",
        number=lim.MAX_U32,
        made_s=lim.MAX_TIME_S,
        causes=("corrected contract",) * 5,  # type: ignore[arg-type]
        own=True,
        reason="\U0001f3e0" * lim.MAX_TOLD_CHARS,
        energy=-lim.MAX_S64,
        microgrid_amount=-lim.MAX_S64,
        national_grid_amount=-lim.MAX_S64,
        penalty_amount=-lim.MAX_S64,
        waiver=lim.MAX_U32,
    )
    most = lim.MAX_BILLED_ADJUSTMENTS
    bill = replace(BILL, name="\U0001f3e0" * 64, adjustments=(widest,) * most)
    assert len(encode_body(Deliver(request_id=1, bill=bill))) <= MAX_BODY_BYTES
    with pytest.raises(WireError, match=str(most)):
        encode_body(Deliver(request_id=1, bill=replace(bill, adjustments=(ADJUSTMENT,) * (most + 1))))


@settings(max_examples=200)
@given(st.text(max_size=50), st.integers(1, 60))
def test_any_text_can_be_made_to_travel(text: str, longest: int) -> None:
    line = printable(text, longest)
    assert len(line) <= longest
    encode_body(ErrorMessage(house="B", request_id=0, code="x", text=line))
    assert printable(line, longest) == line


def test_a_text_is_cut_where_it_is_too_long_and_kept_where_it_is_not() -> None:
    assert printable("A line,\r\nand another", 60) == "A line, and another"
    name = "Ayesha \u0639\u0627\u0626\u0634\u06c1 <b>&"
    assert printable(name, 60) == name
    assert printable("x" * 61, 60) == "x" * 59 + "…"
    assert printable("half \ud800 of a sign", 60) == "half   of a sign"
