"""The LAN's bytes: any pieces, any size, any damage, and nothing worse than one WireError."""

from pathlib import Path
from zoneinfo import available_timezones

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.wire import limits as lim
from microgrid.wire.bodies import encode_body
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.lan import (
    LENGTH_BYTES,
    MAX_BODY_BYTES,
    MAX_OPENING_BODY_BYTES,
    CentralConnection,
    HouseConnection,
)
from microgrid.wire.messages import (
    MAX_BATCH_MINUTES,
    ErrorMessage,
    Fetch,
    MinuteBatch,
    Refused,
)
from microgrid.wire.session import MAX_OUTSTANDING, Phase
from tests.unit.wire.ends import BATCH, ERROR, FETCH, REFUSED, asked, fails, framed, linked, refuses
from tests.unit.wire.examples import HELLO, MINUTE, WELCOME, poll, reply, target
from tests.unit.wire.strategies import messages, mutated, pieces

LONGEST_ZONE = max(available_timezones(), key=len)
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "protocol.md"


def test_bytes_one_at_a_time():
    house, central = asked(poll(1))
    data = house.send(reply(1))
    heard = [message for byte in data for message in central.receive_data(bytes([byte]))]
    assert heard == [reply(1)]


@given(st.data())
def test_how_the_bytes_are_cut_changes_nothing(data):
    house, central = linked()
    sent: list = [poll(1), FETCH, target(2), REFUSED]
    stream = b"".join(central.send(message) for message in sent)
    assert [m for piece in data.draw(pieces(stream)) for m in house.receive_data(piece)] == sent


def test_an_unfinished_frame_says_nothing():
    house, central = asked(poll(1))
    data = house.send(reply(1))
    for length in range(len(data)):
        other = asked(poll(1))[1]
        assert other.receive_data(data[:length]) == []
        assert not other.closed
    assert central.receive_data(data) == [reply(1)]


# --- sizes ------------------------------------------------------------------------------------------


def prefix(length: int) -> bytes:
    return length.to_bytes(LENGTH_BYTES, "big")


def test_a_length_over_the_limit_fails_before_its_body():
    for connection in (HouseConnection(), CentralConnection()):
        error = fails(connection, prefix(MAX_OPENING_BODY_BYTES + 1), WireCode.TOO_LARGE)
        assert "4096" in error.text
    for connection in linked():
        assert "262144" in fails(connection, prefix(MAX_BODY_BYTES + 1), WireCode.TOO_LARGE).text
    fails(linked()[0], b"\xff" * 4, WireCode.TOO_LARGE)


def test_a_body_up_to_the_limit_is_waited_for():
    for connection in linked():
        assert connection.receive_data(prefix(MAX_BODY_BYTES) + b"\xc0" * (MAX_BODY_BYTES - 1)) == []
        fails(connection, b"\xc0", WireCode.MALFORMED)
        assert len(connection._frames._buffer) == 0


def test_the_largest_batch_and_the_largest_opening_fit():
    widest = msgspec.structs.replace(
        MINUTE,
        house="x" * 32,
        minute=lim.MAX_MINUTE,
        epoch=lim.MAX_S64,
        import_ws=lim.MAX_S64,
        export_ws=lim.MAX_S64,
        generation_ws=lim.MAX_S64,
        min_w=-lim.MAX_POWER_W,
        suspect=65_535,
    )
    rows = tuple(msgspec.structs.replace(widest, revision=2**31 - 1 - n) for n in range(MAX_BATCH_MINUTES))
    batch = MinuteBatch(house="x" * 32, request_id=lim.MAX_U32, minutes=rows, more=True)
    assert len(encode_body(batch)) <= MAX_BODY_BYTES
    name = "\U0001f3e0" * lim.MAX_NAME_CHARS
    hello = msgspec.structs.replace(HELLO, house="x" * 32, software=name, meter_firmware="x" * 16)
    welcome = msgspec.structs.replace(WELCOME, name=name, zone=LONGEST_ZONE, last_minute=widest)
    refused = Refused(code="x" * 40, text="\U0001f3e0" * 300)
    error = ErrorMessage(house="x" * 32, request_id=lim.MAX_U32, code="x" * 40, text="\U0001f3e0" * 300)
    for message in (hello, welcome, refused, error):
        assert len(encode_body(message)) <= MAX_OPENING_BODY_BYTES


# --- ends -------------------------------------------------------------------------------------------


def test_the_central_may_refuse_at_any_time():
    house, central = HouseConnection(), CentralConnection()
    assert house.receive_data(central.send(REFUSED) + b"\x00" * 99) == [REFUSED]
    for connection, message in ((house, HELLO), (central, REFUSED)):
        assert connection.closed
        refuses(connection, message, WireCode.CLOSED)


def test_after_a_fault_one_last_word():
    house, central = linked()
    fails(house, b"\xff" * 4, WireCode.TOO_LARGE)
    refuses(house, reply(1), WireCode.OUT_OF_ORDER)
    assert central.receive_data(house.send(ERROR)) == [ERROR]
    refuses(house, ERROR, WireCode.CLOSED)
    assert not central.closed


def test_a_closed_connection_is_deaf():
    house, central = linked()
    data = central.send(poll(1))
    house.close()
    assert house.receive_data(data) == []
    assert house.phase is Phase.CLOSED


def test_messages_before_a_fault_are_dropped_with_it():
    house, central = linked()
    fails(house, central.send(poll(1)) + b"\xff" * 4, WireCode.TOO_LARGE)


# --- anything at all --------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.data())
def test_damaged_sessions_give_messages_or_one_named_fault(data):
    house, central = linked()
    data_to_house = data.draw(mutated(b"".join(central.send(m) for m in (poll(1), FETCH, target(2)))))
    hello_and_more = data.draw(mutated(framed(HELLO) + framed(reply(1)) + framed(BATCH)))
    for connection, stream in ((house, data_to_house), (CentralConnection(), hello_and_more)):
        faults = 0
        for piece in data.draw(pieces(stream)):
            try:
                connection.receive_data(piece)
            except WireError:
                faults += 1
            assert len(connection._frames._buffer) <= len(stream)
        assert faults == connection.closed <= 1


@settings(max_examples=40)
@given(st.lists(messages, max_size=8))
def test_any_messages_in_any_order_keep_both_ends_bounded(said):
    for connection in linked():
        for message in said:
            if connection.closed:
                break
            try:
                connection.receive_data(framed(message))
            except WireError:
                assert connection.closed
        assert connection.outstanding <= MAX_OUTSTANDING


@given(st.binary(max_size=4000))
def test_any_bytes_give_one_named_fault_or_nothing(data):
    for connection in (*linked(), HouseConnection(), CentralConnection()):
        try:
            assert connection.receive_data(data) == []
        except WireError:
            assert connection.receive_data(data) == []


def test_the_example_of_the_documentation():
    text = DOCUMENTATION.read_text(encoding="utf-8").partition("### Example")[2].partition("### Faults")[0]
    example = bytes.fromhex("".join(line for line in text.splitlines() if line.startswith("    ")))
    assert framed(Fetch(request_id=7, first_minute=29_000_000, limit=240)) == example
