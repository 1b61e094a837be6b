"""Who may say what when, held by both ends alike: order, direction, versions, requests and answers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.wire import limits as lim
from microgrid.wire.errors import WireCode
from microgrid.wire.lan import (
    CentralConnection,
    HouseConnection,
    frame,
)
from microgrid.wire.messages import (
    PROTOCOL_MAX,
    ErrorMessage,
    Fetch,
    Hello,
    MinuteBatch,
    MinutesAcknowledged,
    Poll,
    Refused,
    Target,
    Welcome,
)
from microgrid.wire.session import MAX_OUTSTANDING, Phase
from tests.unit.wire.ends import (
    ACKNOWLEDGED,
    BATCH,
    ERROR,
    FETCH,
    REFUSED,
    ROWS,
    asked,
    fails,
    framed,
    linked,
    refuses,
)
from tests.unit.wire.examples import HELLO, MINUTE, WELCOME, poll, reply, target, target_ack
from tests.unit.wire.strategies import central_messages, house_messages


def test_a_whole_session():
    house, central = linked()
    assert house.house == central.house == "B"
    assert house.protocol == central.protocol == PROTOCOL_MAX
    for request, answer in (
        (poll(5), reply(5)),
        (target(6), target_ack(6)),
        (FETCH, BATCH),
        (poll(8), ErrorMessage(house="B", request_id=8, code="not_available", text="No meter.")),
    ):
        assert house.receive_data(central.send(request)) == [request]
        assert house.outstanding == central.outstanding == 1
        assert central.receive_data(house.send(answer)) == [answer]
        if request == FETCH:
            assert house.receive_data(central.send(ACKNOWLEDGED)) == [ACKNOWLEDGED]
        assert house.outstanding == central.outstanding == 0
    assert central.receive_data(house.send(ERROR)) == [ERROR]
    assert house.receive_data(central.send(REFUSED)) == [REFUSED]
    assert house.phase is central.phase is Phase.CLOSED


def test_requests_may_be_answered_in_any_order():
    house, central = linked()
    house.receive_data(central.send(poll(1)) + central.send(target(2)) + central.send(FETCH))
    answers: list = [BATCH, target_ack(2), reply(1)]
    assert central.receive_data(b"".join(house.send(answer) for answer in answers)) == answers


@pytest.mark.parametrize("message", [reply(1), BATCH, target_ack(1), ERROR])
def test_hello_comes_first(message):
    refuses(HouseConnection(), message, WireCode.OUT_OF_ORDER)
    error = fails(CentralConnection(), framed(message), WireCode.OUT_OF_ORDER)
    assert "opening" in error.text


@pytest.mark.parametrize("message", [poll(1), FETCH, target(1), ACKNOWLEDGED])
def test_welcome_comes_before_anything_else(message):
    house, central = HouseConnection(), CentralConnection()
    central.receive_data(house.send(HELLO))
    refuses(central, message, WireCode.OUT_OF_ORDER)
    fails(house, framed(message), WireCode.OUT_OF_ORDER)
    refuses(CentralConnection(), WELCOME, WireCode.OUT_OF_ORDER)


def test_hello_and_welcome_come_once():
    house, central = linked()
    refuses(house, HELLO, WireCode.OUT_OF_ORDER)
    refuses(central, WELCOME, WireCode.OUT_OF_ORDER)
    fails(central, framed(HELLO), WireCode.OUT_OF_ORDER)
    fails(house, framed(WELCOME), WireCode.OUT_OF_ORDER)


@given(house_messages)
def test_a_house_takes_nothing_a_house_says(message):
    house, central = linked()
    fails(house, framed(message), WireCode.WRONG_DIRECTION)
    refuses(central, message, WireCode.WRONG_DIRECTION)


@given(central_messages)
def test_the_central_takes_nothing_a_central_says(message):
    house, central = linked()
    error = fails(central, framed(message), WireCode.WRONG_DIRECTION)
    assert "only ever sent by a central" in error.text
    refuses(house, message, WireCode.WRONG_DIRECTION)


def test_an_unknown_type_is_refused_by_name():
    body = msgspec.msgpack.encode({"type": "foo"})
    for connection in (*linked(), HouseConnection(), CentralConnection()):
        assert fails(connection, frame(body), WireCode.UNKNOWN_TYPE).text == "unknown message type 'foo'"


# --- versions ---------------------------------------------------------------------------------------


def hello_of(oldest: int, newest: int) -> Hello:
    return msgspec.structs.replace(HELLO, protocol_min=oldest, protocol_max=newest)


def test_the_newest_common_version_is_offered():
    central = CentralConnection()
    central.receive_data(framed(hello_of(1, 9)))
    assert central.protocol == PROTOCOL_MAX


@pytest.mark.parametrize(("oldest", "newest"), [(PROTOCOL_MAX + 1, PROTOCOL_MAX + 4), (2, 1), (65_535, 1)])
def test_without_a_common_version_the_central_says_why(oldest, newest):
    central = CentralConnection()
    error = fails(central, framed(hello_of(oldest, newest)), WireCode.VERSION)
    house = HouseConnection()
    house.send(HELLO)
    (refused,) = house.receive_data(central.send(Refused(code=error.code, text=error.text)))
    assert isinstance(refused, Refused)
    assert refused.code == "version"
    assert f"{oldest} to {newest}" in refused.text
    assert house.phase is central.phase is Phase.CLOSED


def test_a_version_that_was_not_offered_is_refused():
    house, central = HouseConnection(), CentralConnection()
    central.receive_data(house.send(HELLO))
    wrong = msgspec.structs.replace(WELCOME, protocol=PROTOCOL_MAX + 1)
    refuses(central, wrong, WireCode.VERSION)
    fails(house, framed(wrong), WireCode.VERSION)


# --- requests and answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [reply(1), BATCH, target_ack(1), msgspec.structs.replace(ERROR, request_id=1)]
)
def test_an_answer_to_nothing_is_unsolicited(answer):
    house, central = linked()
    refuses(house, answer, WireCode.UNSOLICITED)
    assert str(answer.request_id) in fails(central, framed(answer), WireCode.UNSOLICITED).text


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (poll(1), reply(2)),
        (poll(1), target_ack(1)),
        (poll(7), BATCH),
        (target(1), reply(1)),
        (target(1, command_id=5), target_ack(1, command_id=6)),
        (FETCH, reply(7)),
    ],
)
def test_an_answer_must_fit_its_request(request_, answer):
    house, central = asked(request_)
    refuses(house, answer, WireCode.UNSOLICITED)
    fails(central, framed(answer), WireCode.UNSOLICITED)


def test_a_request_is_answered_once():
    house, central = asked(poll(1))
    data = house.send(reply(1))
    refuses(house, reply(1), WireCode.UNSOLICITED)
    central.receive_data(data)
    fails(central, data, WireCode.UNSOLICITED)


def test_a_request_id_is_not_used_twice_at_once():
    house, central = asked(poll(1))
    refuses(central, target(1), WireCode.DUPLICATE_REQUEST)
    fails(house, framed(target(1)), WireCode.DUPLICATE_REQUEST)


def test_outstanding_requests_are_limited():
    house, central = linked()
    for request_id in range(1, MAX_OUTSTANDING + 1):
        house.receive_data(central.send(poll(request_id)))
    refuses(central, poll(99), WireCode.TOO_MANY_REQUESTS)
    central.receive_data(house.send(reply(3)))
    house.receive_data(central.send(poll(99)))
    fails(house, framed(poll(100)), WireCode.TOO_MANY_REQUESTS)


def test_request_ids_wrap_and_pass_over_what_is_outstanding():
    central = linked()[1]
    assert [central.next_request_id() for _ in range(3)] == [1, 2, 3]
    central._session._last_request_id = lim.MAX_U32 - 1
    central.send(poll(1))
    assert [central.next_request_id() for _ in range(3)] == [lim.MAX_U32, 2, 3]


def test_a_house_speaks_only_for_itself():
    house, central = asked(poll(1))
    other = msgspec.structs.replace(reply(1), house="C")
    refuses(house, other, WireCode.WRONG_HOUSE)
    fails(central, framed(other), WireCode.WRONG_HOUSE)


def test_a_house_is_told_only_its_own_register():
    house, central = HouseConnection(), CentralConnection()
    central.receive_data(house.send(HELLO))
    other = msgspec.structs.replace(WELCOME, last_minute=msgspec.structs.replace(MINUTE, house="C"))
    refuses(central, other, WireCode.WRONG_HOUSE)
    fails(house, framed(other), WireCode.WRONG_HOUSE)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([msgspec.structs.replace(MINUTE, minute=m) for m in range(100, 111)], WireCode.BAD_FIELD),
        ([msgspec.structs.replace(MINUTE, minute=99)], WireCode.BAD_FIELD),
        ([ROWS[0], ROWS[0]], WireCode.BAD_FIELD),
        ([msgspec.structs.replace(ROWS[0], house="C")], WireCode.WRONG_HOUSE),
    ],
    ids=["too many", "too early", "twice", "another house's"],
)
def test_a_batch_holds_what_was_fetched(rows, code):
    house, central = asked(FETCH)
    wrong = msgspec.structs.replace(BATCH, minutes=tuple(rows))
    refuses(house, wrong, code)
    fails(central, framed(wrong), code)


def test_two_revisions_of_a_minute_may_share_a_batch():
    house, central = asked(FETCH)
    both = msgspec.structs.replace(BATCH, minutes=(ROWS[0], msgspec.structs.replace(ROWS[0], revision=1)))
    central.receive_data(house.send(both))
    house.receive_data(central.send(MinutesAcknowledged(request_id=7, committed=((100, 1),))))
    assert house.outstanding == 0


@pytest.mark.parametrize("committed", [((102, 0),), ((100, 1),), ((100, 0), (106, 0))])
def test_only_offered_minutes_are_acknowledged(committed):
    house, central = asked(FETCH)
    central.receive_data(house.send(BATCH))
    wrong = MinutesAcknowledged(request_id=7, committed=committed)
    refuses(central, wrong, WireCode.UNSOLICITED)
    fails(house, framed(wrong), WireCode.UNSOLICITED)


def test_a_batch_waits_for_its_acknowledgement_and_an_empty_one_for_nothing():
    house, central = asked(FETCH)
    refuses(central, ACKNOWLEDGED, WireCode.UNSOLICITED)
    central.receive_data(house.send(BATCH))
    assert house.outstanding == central.outstanding == 1
    refuses(central, FETCH, WireCode.DUPLICATE_REQUEST)
    refuses(house, BATCH, WireCode.UNSOLICITED)
    refuses(house, msgspec.structs.replace(ERROR, request_id=7), WireCode.UNSOLICITED)
    house.receive_data(central.send(MinutesAcknowledged(request_id=7, committed=())))
    house.receive_data(central.send(FETCH))
    central.receive_data(house.send(MinuteBatch(house="B", request_id=7, minutes=(), more=False)))
    assert house.outstanding == central.outstanding == 0


REQUESTS: dict = {"poll": poll(1), "target": target(1), "fetch": FETCH}
ANSWERS: dict = {Poll: reply(1), Target: target_ack(1), Fetch: BATCH}


@given(st.lists(st.sampled_from(["poll", "target", "fetch", "answer", "acknowledge"]), max_size=60))
def test_two_ends_always_agree_on_what_is_outstanding(steps):
    house, central = linked()
    waiting: list = []
    batches: list[int] = []
    for step in steps:
        if step == "answer" and waiting:
            request = waiting.pop(0)
            if isinstance(request, Fetch):
                batches.append(request.request_id)
            answer = msgspec.structs.replace(ANSWERS[type(request)], request_id=request.request_id)
            assert central.receive_data(house.send(answer)) == [answer]
        elif step == "acknowledge" and batches:
            house.receive_data(central.send(msgspec.structs.replace(ACKNOWLEDGED, request_id=batches.pop())))
        elif step in REQUESTS and central.outstanding < MAX_OUTSTANDING:
            request_id = central.next_request_id()
            request = msgspec.structs.replace(REQUESTS[step], request_id=request_id)
            assert house.receive_data(central.send(request)) == [request]
            waiting.append(request)
        assert house.outstanding == central.outstanding == len(waiting) + len(batches)


def test_welcome_names_the_house_and_its_last_register():
    house, central = HouseConnection(), CentralConnection()
    lost = msgspec.structs.replace(HELLO, has_register=False)
    assert central.receive_data(house.send(lost)) == [lost]
    welcome = msgspec.structs.replace(WELCOME, last_minute=MINUTE)
    (heard,) = house.receive_data(central.send(welcome))
    assert isinstance(heard, Welcome)
    assert heard.last_minute == MINUTE
