"""Bodies of LAN messages: round trips, limits named by field, and no other exception than WireError."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.minute import MeterMinute, Origin
from microgrid.sample import MeterFlag, Sample
from microgrid.wire import limits as lim
from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.messages import (
    MAX_BATCH_MINUTES,
    ErrorMessage,
    HouseMessage,
    MinuteBatch,
    MinutesAcknowledged,
    Refused,
    Reply,
    tag_of,
)
from tests.unit.wire.ends import fault, pack, raw
from tests.unit.wire.examples import HELLO, MINUTE, SAMPLE, WELCOME, poll, reply, target
from tests.unit.wire.strategies import messages, mutated


@given(messages)
def test_every_message_comes_back_equal(message):
    again = decode_body(encode_body(message))
    assert again == message
    assert type(again) is type(message)


def test_samples_and_minutes_come_back_as_what_they_were():
    answer = decode_body(encode_body(reply(1)))
    assert isinstance(answer, Reply)
    sample = answer.sample
    assert type(sample) is Sample
    assert sample == SAMPLE
    assert type(sample.flags) is MeterFlag
    answer = decode_body(encode_body(batch([MINUTE])))
    assert isinstance(answer, MinuteBatch)
    (row,) = answer.minutes
    assert type(row) is MeterMinute
    assert type(row.origin) is Origin


def batch(rows: list[MeterMinute]) -> MinuteBatch:
    return MinuteBatch(house="B", request_id=1, minutes=tuple(rows), more=False)


def test_the_type_comes_first_then_the_house():
    for message in (HELLO, reply(1), batch([]), ErrorMessage(house="B", request_id=0, code="x", text="")):
        assert isinstance(message, HouseMessage)
        assert list(raw(message))[:2] == ["type", "house"]


def test_an_unknown_type_is_refused_by_name():
    error = fault({"type": "foo", "request_id": 1})
    assert error.code is WireCode.UNKNOWN_TYPE
    assert error.text == "unknown message type 'foo'"
    assert fault({"type": "x\n" * 1000}).code is WireCode.UNKNOWN_TYPE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        b"\x81\xa1a" * 60_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x81\xa4type\xdb\xff\xff\xff\xff",
        b"\x81\xa4type\xa1\xff",
        encode_body(poll(1)) + b"\xc0",
        pack({"type": 5}),
        pack({"request_id": 1}),
        pack([1, 2]),
        pack(None),
        pack({1: 2}),
    ],
)
def test_what_is_no_message_is_malformed(body):
    assert fault(body).code is WireCode.MALFORMED


def test_deep_nesting_inside_a_known_message():
    deep = b"\x91" * 50_000 + b"\xc0"
    head = b"\x82\xa4type\xa5reply"
    assert isinstance(fault(head + b"\xa6sample" + deep), WireError)
    assert isinstance(fault(head + b"\xa7unknown" + deep), WireError)
    assert isinstance(fault(b"\x82\xa1x" + deep + b"\xa4type\xa4poll"), WireError)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frequency_hz", float("nan")),
        ("frequency_hz", float("inf")),
        ("voltage_v", [230.0, float("nan"), 230.0]),
        ("voltage_v", [230.0, 230.0]),
        ("current_a", [-1.0, 0.0, 0.0]),
        ("power_factor", [1.01, 1.0, 1.0]),
        ("boot_id", 2**32),
        ("boot_id", True),
        ("uptime_ms", 2**63),
        ("sequence", -1),
        ("exchange_p_w", 1.5),
        ("exchange_p_w", lim.MAX_POWER_W + 1),
        ("generator_s_va", -1),
        ("export_counter_ws", 2**64 - 1),
        ("grid_breaker_closed", 1),
        ("flags", 128),
        ("flags", -1),
        ("command_state", 4),
        ("firmware", "1.0\n"),
        ("firmware", "x" * 17),
        ("unknown", 1),
    ],
)
def test_a_sample_out_of_its_limits_is_refused_by_field(field, value):
    body = raw(reply(1))
    body["sample"][field] = value
    error = fault(body)
    assert error.code is WireCode.BAD_FIELD
    assert field in error.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("house", "../B"),
        ("minute", -1),
        ("minute", lim.MAX_MINUTE + 1),
        ("import_ws", -1),
        ("import_ws", 2**63),
        ("closed_s", 61),
        ("covered_s", -1),
        ("max_w", lim.MAX_POWER_W + 1),
        ("power_factor_milli", 1001),
        ("origin", 4),
        ("revision", 2**31),
        ("unknown", 1),
    ],
)
def test_a_minute_out_of_its_limits_is_refused_by_field(field, value):
    body = raw(batch([MINUTE, MINUTE]))
    body["minutes"][1][field] = value
    error = fault(body)
    assert error.code is WireCode.BAD_FIELD
    assert field in error.text


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        (HELLO, "house", "B\n"),
        (HELLO, "house", ""),
        (HELLO, "house", "x" * 33),
        (HELLO, "protocol_max", 0),
        (HELLO, "software", "a\x1b[2J"),
        (HELLO, "software", "x" * 81),
        (WELCOME, "zone", "Asia/Karachi; DROP"),
        (WELCOME, "connection_w", 0),
        (poll(1), "request_id", 0),
        (poll(1), "request_id", 2**32),
        (poll(1), "rate", -1),
        (poll(1), "tariff", None),
        (poll(1), "central_time_ms", 1.5),
        (poll(1), "unknown", 0),
        (target(1), "hold", 4),
        (target(1), "target_w", -1),
        (target(1), "reason", "x" * 121),
        (target(1), "command_id", 0),
        (Refused(code="version", text=""), "text", "x" * 301),
        (Refused(code="version", text=""), "code", "Version 2"),
    ],
)
def test_every_field_has_limits_at_both_ends(message, field, value):
    error = fault({**raw(message), field: value})
    assert error.code is WireCode.BAD_FIELD
    assert field in error.text
    assert repr(tag_of(message)) in error.text
    if field in message.__struct_fields__:
        with pytest.raises(WireError):
            encode_body(msgspec.structs.replace(message, **{field: value}))


def test_a_missing_field_is_named():
    body = raw(poll(1))
    del body["pool_w"]
    assert "pool_w" in fault(body).text


def test_what_cannot_be_encoded_is_a_wire_error():
    for rate in (2**70, "\ud800", object()):
        with pytest.raises(WireError):
            encode_body(msgspec.structs.replace(poll(1), rate=rate))


def test_an_unknown_flag_leaves_no_trace():
    body = raw(reply(1))
    before = len(MeterFlag._value2member_map_)
    for flags in range(1000, 1100):
        body["sample"]["flags"] = flags
        fault(body)
    assert len(MeterFlag._value2member_map_) <= before


def test_a_batch_has_a_limit():
    rows = [msgspec.structs.replace(MINUTE, minute=minute) for minute in range(MAX_BATCH_MINUTES)]
    assert decode_body(encode_body(batch(rows))) == batch(rows)
    with pytest.raises(WireError, match="240"):
        encode_body(batch([*rows, MINUTE]))
    with pytest.raises(WireError, match="240"):
        encode_body(MinutesAcknowledged(request_id=1, committed=((1, 0),) * (MAX_BATCH_MINUTES + 1)))


@settings(max_examples=50)
@given(messages)
def test_every_truncation_is_a_named_fault(message):
    body = encode_body(message)
    for length in range(len(body)):
        with pytest.raises(WireError):
            decode_body(body[:length])


@settings(max_examples=150)
@given(st.data())
def test_damaged_bodies_give_messages_or_named_faults(data):
    body = data.draw(mutated(encode_body(data.draw(messages))))
    try:
        message = decode_body(body)
    except WireError:
        return
    # What was let in is within all limits, so it can be sent on.
    assert decode_body(encode_body(message)) == message


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("type"), inner),
    max_leaves=20,
)


@given(anything, st.sampled_from(sorted(tag_of(m) for m in (HELLO, WELCOME, reply(1), poll(1), target(1)))))
def test_any_msgpack_gives_messages_or_named_faults(value, tag):
    for body in (value, {"type": tag, "request_id": 1, "sample": value, "house": value}):
        fault(pack(body))
