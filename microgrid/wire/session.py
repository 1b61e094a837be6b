"""What may be said when: the state both ends of a LAN connection keep, each from its own view.

Every message, sent or received, passes `Session.advance`, so both ends apply the same rules to it.
Everything that affects the state of a connection lives here.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from microgrid.terms import Contract
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.limits import MAX_U32
from microgrid.wire.messages import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    ContractCall,
    Deliver,
    Delivered,
    ErrorMessage,
    Fetch,
    FetchPost,
    Hello,
    Message,
    MinuteBatch,
    MinutesAcknowledged,
    MonthSoFar,
    Poll,
    Post,
    PostTaken,
    Refused,
    Reply,
    Target,
    TargetAck,
    Welcome,
    tag_of,
)

MAX_OUTSTANDING = 16  # requests the central may have open at one house


class Phase(StrEnum):
    """How far a connection has come."""

    OPENING = "opening"  # nothing said yet
    GREETED = "greeted"  # Hello said, not yet answered
    LINKED = "linked"  # Welcome said
    FAILED = "failed"  # the other end broke the protocol; one last word may be sent
    CLOSED = "closed"


# Either side may still be told why: an ErrorMessage may cross a Welcome, a Refused may end any phase.
_ALLOWED: dict[Phase, frozenset[type[Message]]] = {
    Phase.OPENING: frozenset({Hello, Refused}),
    Phase.GREETED: frozenset({Welcome, Refused, ErrorMessage}),
    Phase.LINKED: frozenset(Message.__args__) - {Hello, Welcome},
    Phase.FAILED: frozenset({Refused, ErrorMessage}),
    Phase.CLOSED: frozenset(),
}

# Hello only says which house it is
_OF_A_HOUSE = (Reply, MinuteBatch, TargetAck, Post, Delivered, ErrorMessage)

Request = Poll | Fetch | Target | FetchPost | Deliver
# What a request waits for; a batch with minutes goes on waiting for exactly its (minute, revision) pairs,
# and post for the word that it was taken.
_Offer = frozenset[tuple[int, int]]


class Session:
    """The state of one connection: phase, house, version, requests without an answer."""

    def __init__(self) -> None:
        self.phase = Phase.OPENING
        self.house: str | None = None  # from Hello
        self.protocol = PROTOCOL_MAX  # from Hello the best common version, from Welcome the agreed one
        self._oldest_protocol = PROTOCOL_MIN
        self._outstanding: dict[int, Request | Post | _Offer] = {}
        self._last_request_id = 0

    @property
    def outstanding(self) -> int:
        """How many requests are without an answer, batches without an acknowledgement among them."""
        return len(self._outstanding)

    def next_request_id(self) -> int:
        """A request id that is not outstanding; ids count up and wrap at 2^32."""
        while True:
            self._last_request_id = self._last_request_id % MAX_U32 + 1
            if self._last_request_id not in self._outstanding:
                return self._last_request_id

    def advance(self, message: Message) -> None:
        """Apply a message that was sent or received; WireError, and nothing changed, if it may not be."""
        kind = type(message)
        if kind not in _ALLOWED[self.phase]:
            raise _out_of_order(message, self.phase)
        if isinstance(message, _OF_A_HOUSE):
            self._check_house(message.house)
        handler = _HANDLERS[kind]
        handler(self, message)

    def _check_house(self, house: str) -> None:
        if house != self.house:
            raise WireError(
                WireCode.WRONG_HOUSE,
                f"A message of house {house} came over the connection of house {self.house}.",
            )

    def _check_contract(self, contract: Contract | None) -> None:
        if contract is not None:
            self._check_house(contract.house)

    def _hello(self, message: Hello) -> None:
        oldest = max(message.protocol_min, PROTOCOL_MIN)
        newest = min(message.protocol_max, PROTOCOL_MAX)
        if oldest > newest:
            raise WireError(
                WireCode.VERSION,
                f"House {message.house} speaks protocol {message.protocol_min} to {message.protocol_max},"
                f" this program {PROTOCOL_MIN} to {PROTOCOL_MAX}; update the older one.",
            )
        self.house = message.house
        self._oldest_protocol, self.protocol = oldest, newest
        self.phase = Phase.GREETED

    def _welcome(self, message: Welcome) -> None:
        if not self._oldest_protocol <= message.protocol <= self.protocol:
            raise WireError(
                WireCode.VERSION,
                f"The central chose protocol {message.protocol}; house {self.house} offered"
                f" {self._oldest_protocol} to {self.protocol}.",
            )
        if message.last_minute is not None:
            self._check_house(message.last_minute.house)
        self.protocol = message.protocol
        self.phase = Phase.LINKED

    def _refused(self, message: Refused) -> None:
        self.phase = Phase.CLOSED

    def _request(self, message: Request) -> None:
        if message.request_id in self._outstanding:
            raise WireError(
                WireCode.DUPLICATE_REQUEST, f"Request {message.request_id} is still without an answer."
            )
        if len(self._outstanding) >= MAX_OUTSTANDING:
            raise WireError(
                WireCode.TOO_MANY_REQUESTS,
                f"House {self.house} has {MAX_OUTSTANDING} requests to answer, which is the limit.",
            )
        self._outstanding[message.request_id] = message

    def _deliver(self, message: Deliver) -> None:
        # A house's figures are its own (4.3): not even a central in error may send them elsewhere.
        adjustments = [] if message.adjustment is None else [message.adjustment]
        if message.bill is not None:
            self._check_house(message.bill.house)
            self._check_contract(message.bill.contract)
            adjustments += message.bill.adjustments
        for adjustment in adjustments:
            self._check_house(adjustment.account)
        self._request(message)

    def _reply(self, message: Reply) -> None:
        if not isinstance(self._outstanding.get(message.request_id), Poll):
            raise _unsolicited(message, message.request_id)
        del self._outstanding[message.request_id]

    def _post(self, message: Post) -> None:
        if not isinstance(self._outstanding.get(message.request_id), FetchPost):
            raise _unsolicited(message, message.request_id)
        if message.swap is not None:
            self._check_house(message.swap.house)
        if message.answer is None and message.swap is None:
            del self._outstanding[message.request_id]
        else:
            self._outstanding[message.request_id] = message

    def _post_taken(self, message: PostTaken) -> None:
        if not isinstance(self._outstanding.get(message.request_id), Post):
            raise _unsolicited(message, message.request_id)
        del self._outstanding[message.request_id]

    def _delivered(self, message: Delivered) -> None:
        delivery = self._outstanding.get(message.request_id)
        if not isinstance(delivery, Deliver):
            raise _unsolicited(message, message.request_id)
        if message.check is not None and delivery.bill is None:
            raise WireError(
                WireCode.BAD_FIELD, f"Delivery {message.request_id} held no bill that could be checked."
            )
        del self._outstanding[message.request_id]

    def _called(self, message: ContractCall) -> None:
        self._check_contract(message.last)
        self._check_contract(message.agreed)

    def _month_so_far(self, message: MonthSoFar) -> None:
        self._check_contract(message.contract)

    def _target_ack(self, message: TargetAck) -> None:
        target = self._outstanding.get(message.request_id)
        if not isinstance(target, Target) or target.command_id != message.command_id:
            raise _unsolicited(message, message.request_id)
        del self._outstanding[message.request_id]

    def _batch(self, message: MinuteBatch) -> None:
        fetch = self._outstanding.get(message.request_id)
        if not isinstance(fetch, Fetch):
            raise _unsolicited(message, message.request_id)
        offer = frozenset((row.minute, row.revision) for row in message.minutes)
        if len(message.minutes) > fetch.limit:
            raise _bad_batch(f"{len(message.minutes)} minutes, {fetch.limit} were asked for")
        if len(offer) < len(message.minutes):
            raise _bad_batch("the same minute and revision twice")
        for row in message.minutes:
            self._check_house(row.house)
            if row.minute < fetch.first_minute:
                raise _bad_batch(f"minute {row.minute}, {fetch.first_minute} is the first asked for")
        if offer:
            self._outstanding[message.request_id] = offer
        else:
            del self._outstanding[message.request_id]

    def _acknowledged(self, message: MinutesAcknowledged) -> None:
        offer = self._outstanding.get(message.request_id)
        if not isinstance(offer, frozenset):
            raise _unsolicited(message, message.request_id)
        if not offer.issuperset(message.committed):
            raise WireError(
                WireCode.UNSOLICITED,
                f"The acknowledgement of batch {message.request_id} names a minute that was not in it.",
            )
        del self._outstanding[message.request_id]

    def _error(self, message: ErrorMessage) -> None:
        if message.request_id:
            if not isinstance(self._outstanding.get(message.request_id), Request):
                raise _unsolicited(message, message.request_id)
            del self._outstanding[message.request_id]
        if self.phase is Phase.FAILED:
            self.phase = Phase.CLOSED


_HANDLERS: dict[type[Message], Callable[[Session, Any], None]] = {
    Hello: Session._hello,
    Welcome: Session._welcome,
    Refused: Session._refused,
    Poll: Session._request,
    Fetch: Session._request,
    Target: Session._request,
    Reply: Session._reply,
    TargetAck: Session._target_ack,
    MinuteBatch: Session._batch,
    MinutesAcknowledged: Session._acknowledged,
    FetchPost: Session._request,
    Deliver: Session._deliver,
    Post: Session._post,
    PostTaken: Session._post_taken,
    Delivered: Session._delivered,
    ContractCall: Session._called,
    MonthSoFar: Session._month_so_far,
    ErrorMessage: Session._error,
}


def _out_of_order(message: Message, phase: Phase) -> WireError:
    if phase is Phase.CLOSED:
        return WireError(WireCode.CLOSED, f"The connection is closed; no {tag_of(message)!r} can follow.")
    return WireError(
        WireCode.OUT_OF_ORDER, f"Message {tag_of(message)!r} may not come while the connection is {phase}."
    )


def _unsolicited(message: Message, request_id: int) -> WireError:
    return WireError(
        WireCode.UNSOLICITED,
        f"Message {tag_of(message)!r} answers request {request_id}, which was not asked.",
    )


def _bad_batch(what: str) -> WireError:
    return WireError(WireCode.BAD_FIELD, f"A batch of minutes holds {what}.")
