"""Who may say what of contracts, bills and installers' records when, held by both ends alike."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from microgrid.wire.errors import WireCode
from microgrid.wire.lan import HouseConnection
from microgrid.wire.messages import (
    ContractCall,
    Deliver,
    Delivered,
    ErrorMessage,
    FetchPost,
    Message,
    Post,
    PostTaken,
    tag_of,
)
from microgrid.wire.session import MAX_OUTSTANDING
from tests.unit.wire.ends import asked, fails, framed, linked, refuses
from tests.unit.wire.examples import (
    ADJUSTED,
    ADJUSTMENT,
    ANSWER,
    BILL,
    CALL,
    CONTRACT,
    EMPTY,
    FETCH_POST,
    HELLO,
    MONTH,
    SWAP,
    TAKEN,
    deliver,
    delivered,
    poll,
    post,
    reply,
)

OF_HOUSE: list[Message] = [post(1), EMPTY, delivered(1)]
OF_CENTRAL: list[Message] = [CALL, FETCH_POST, TAKEN, deliver(1), ADJUSTED, MONTH]
OF_C = replace(ADJUSTMENT, account="C")


def of_another(record: Any) -> Any:
    return replace(record, house="C")


@pytest.mark.parametrize("message", OF_CENTRAL, ids=tag_of)
def test_nothing_of_it_comes_before_welcome(message: Any) -> None:
    house = HouseConnection()
    house.send(HELLO)
    fails(house, framed(message), WireCode.OUT_OF_ORDER)


def test_post_goes_from_announced_to_taken() -> None:
    house, central = asked(FETCH_POST)
    assert central.receive_data(house.send(post(1))) == [post(1)]
    assert house.outstanding == central.outstanding == 1
    assert house.receive_data(central.send(TAKEN)) == [TAKEN]
    assert house.outstanding == central.outstanding == 0


def test_empty_post_waits_for_nothing() -> None:
    house, central = asked(FETCH_POST)
    central.receive_data(house.send(EMPTY))
    assert house.outstanding == central.outstanding == 0
    refuses(central, TAKEN, WireCode.UNSOLICITED)
    fails(house, framed(TAKEN), WireCode.UNSOLICITED)


@pytest.mark.parametrize("some", [replace(EMPTY, answer=ANSWER), replace(EMPTY, swap=SWAP)])
def test_post_with_anything_in_it_waits_until_it_is_taken(some: Post) -> None:
    house, central = asked(FETCH_POST)
    refuses(central, TAKEN, WireCode.UNSOLICITED)
    central.receive_data(house.send(some))
    refuses(house, some, WireCode.UNSOLICITED)
    refuses(house, ErrorMessage(house="B", request_id=1, code="x", text=""), WireCode.UNSOLICITED)
    refuses(central, FETCH_POST, WireCode.DUPLICATE_REQUEST)
    house.receive_data(central.send(TAKEN))
    fails(house, framed(TAKEN), WireCode.UNSOLICITED)


def test_post_is_answered_once() -> None:
    house, central = asked(FETCH_POST)
    data = house.send(post(1))
    central.receive_data(data)
    fails(central, data, WireCode.UNSOLICITED)


@pytest.mark.parametrize("answer", OF_HOUSE, ids=tag_of)
def test_an_answer_nobody_asked_for_is_unsolicited(answer: Any) -> None:
    house, central = linked()
    refuses(house, answer, WireCode.UNSOLICITED)
    fails(central, framed(answer), WireCode.UNSOLICITED)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (poll(1), post(1)),
        (poll(1), delivered(1)),
        (FETCH_POST, delivered(1)),
        (FETCH_POST, reply(1)),
        (FETCH_POST, post(2)),
        (deliver(1), post(1)),
        (deliver(1), reply(1)),
        (deliver(1), delivered(2)),
    ],
)
def test_an_answer_must_fit_its_request(request_: Any, answer: Any) -> None:
    house, central = asked(request_)
    refuses(house, answer, WireCode.UNSOLICITED)
    fails(central, framed(answer), WireCode.UNSOLICITED)


def test_a_delivery_is_answered_by_word_that_it_is_kept_or_by_an_error() -> None:
    error = ErrorMessage(house="B", request_id=1, code="not_available", text="The disk is full.")
    for request, answer in (
        (deliver(1), delivered(1)),
        (deliver(1), delivered(1, None)),
        (ADJUSTED, delivered(1, None)),
        (deliver(1), error),
        (FETCH_POST, error),
    ):
        house, central = asked(request)
        assert central.receive_data(house.send(answer)) == [answer]
        assert house.outstanding == central.outstanding == 0


def test_only_a_bill_is_checked() -> None:
    house, central = asked(ADJUSTED)
    refuses(house, delivered(1), WireCode.BAD_FIELD)
    fails(central, framed(delivered(1)), WireCode.BAD_FIELD)


def test_an_installer_records_only_meters_of_the_own_house() -> None:
    house, central = asked(FETCH_POST)
    wrong = replace(post(1), swap=of_another(SWAP))
    refuses(house, wrong, WireCode.WRONG_HOUSE)
    fails(central, framed(wrong), WireCode.WRONG_HOUSE)


@pytest.mark.parametrize("answer", OF_HOUSE, ids=tag_of)
def test_a_house_answers_only_for_itself(answer: Any) -> None:
    house, central = asked(deliver(1) if isinstance(answer, Delivered) else FETCH_POST)
    refuses(house, of_another(answer), WireCode.WRONG_HOUSE)
    fails(central, framed(of_another(answer)), WireCode.WRONG_HOUSE)


@pytest.mark.parametrize(
    "message",
    [
        Deliver(request_id=1, bill=of_another(BILL)),
        Deliver(request_id=1, bill=replace(BILL, contract=of_another(CONTRACT))),
        Deliver(request_id=1, bill=replace(BILL, adjustments=(ADJUSTMENT, OF_C))),
        Deliver(request_id=1, adjustment=OF_C),
        replace(CALL, last=of_another(CONTRACT)),
        replace(CALL, agreed=of_another(CONTRACT)),
        replace(MONTH, contract=of_another(CONTRACT)),
    ],
)
def test_a_house_is_never_told_of_another_ones_contract_or_money(message: Any) -> None:
    house, central = linked()
    refuses(central, message, WireCode.WRONG_HOUSE)
    fails(house, framed(message), WireCode.WRONG_HOUSE)


def test_what_is_only_told_asks_for_nothing() -> None:
    house, central = linked()
    for message in (CALL, CALL, MONTH, replace(CALL, refusal={}, agreed=CONTRACT), MONTH):
        assert house.receive_data(central.send(message)) == [message]
    assert house.outstanding == central.outstanding == 0


def test_papers_count_among_the_outstanding_requests() -> None:
    house, central = linked()
    for request_id in range(1, MAX_OUTSTANDING + 1):
        request: Any = FetchPost(request_id=request_id) if request_id % 2 else deliver(request_id)
        house.receive_data(central.send(request))
    central.receive_data(house.send(post(1)))
    for wrong in (FetchPost(request_id=99), deliver(99)):
        refuses(central, wrong, WireCode.TOO_MANY_REQUESTS)
    house.receive_data(central.send(PostTaken(request_id=1)))
    house.receive_data(central.send(deliver(99)))
    fails(house, framed(FetchPost(request_id=100)), WireCode.TOO_MANY_REQUESTS)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["fetch post", "deliver", "empty", "answer", "taken", "call"]), max_size=40))
def test_two_ends_always_agree_on_what_papers_are_outstanding(steps: list[str]) -> None:
    house, central = linked()
    waiting: list[Any] = []
    posted: list[int] = []
    for step in steps:
        if step in ("fetch post", "deliver") and central.outstanding < MAX_OUTSTANDING:
            request_id = central.next_request_id()
            request = FetchPost(request_id=request_id) if step == "fetch post" else deliver(request_id)
            assert house.receive_data(central.send(request)) == [request]
            waiting.append(request)
        elif step in ("empty", "answer") and waiting:
            request = waiting.pop(0)
            if isinstance(request, Deliver):
                answer: Any = delivered(request.request_id)
            elif step == "empty":
                answer = replace(EMPTY, request_id=request.request_id)
            else:
                answer = post(request.request_id)
                posted.append(request.request_id)
            assert central.receive_data(house.send(answer)) == [answer]
        elif step == "taken" and posted:
            house.receive_data(central.send(PostTaken(request_id=posted.pop())))
        elif step == "call":
            house.receive_data(central.send(CALL))
        assert house.outstanding == central.outstanding == len(waiting) + len(posted)


def test_months_may_be_called_in_any_order() -> None:
    house, central = linked()
    first = CALL.first_minute
    earlier = replace(CALL, month="2025-02", first_minute=first - 28 * 1440, end_minute=first)
    heard: list[ContractCall] = []
    for call in (CALL, earlier, CALL):
        heard += house.receive_data(central.send(call))  # type: ignore[arg-type]
    assert heard == [CALL, earlier, CALL]
