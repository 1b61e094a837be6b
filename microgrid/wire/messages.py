"""The messages between a house and the central; `bodies.py` turns them into bytes and back.

The house opens the connection, the central leads: every house message after `Hello` answers a request.
A new message is one struct here, its place in `HouseMessage` or `CentralMessage`, its row in the session's
tables (`session.py`), and its twin with limits (`twins.py`) if it holds a record of the program; see
"Adding a message" in docs/protocol.md.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from microgrid.agreements import Basis
from microgrid.bill import Adjustment, Bill, BillCheck
from microgrid.contracting import Wish
from microgrid.minute import Hold, MeterMinute
from microgrid.sample import Sample
from microgrid.statement import PenaltyParts
from microgrid.swap import MeterSwap
from microgrid.terms import Contract
from microgrid.wire import limits as lim

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1
MAX_BATCH_MINUTES = 240

ProtocolVersion = Annotated[int, Meta(ge=1, le=65_535)]
BatchLimit = Annotated[int, Meta(ge=1, le=MAX_BATCH_MINUTES)]
CommittedMinutes = Annotated[tuple[tuple[lim.Minute, lim.Revision], ...], Meta(max_length=MAX_BATCH_MINUTES)]


class AckState(StrEnum):
    """What the house did with a target."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


# --- house to central -------------------------------------------------------------------------------


class Hello(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hello"):
    """The house names itself; the first message. Its shape never changes, whatever the version.

    `oldest_unacknowledged` is the oldest journalled minute the central has not acknowledged (None: none).
    `has_register` False: the house lost its disk and asks for its last acknowledged register (5.2).
    """

    house: lim.HouseId
    protocol_min: ProtocolVersion
    protocol_max: ProtocolVersion
    software: lim.Name
    boot_id: lim.U32 | None = None  # of the meter; None: the meter was not heard yet
    meter_firmware: lim.Firmware | None = None
    oldest_unacknowledged: lim.Minute | None = None
    has_register: bool = True


class Reply(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reply"):
    """The answer to `Poll`: the last sample heard and its age (0 without a sample).

    `outbox`: the house has minutes for the central, `post`: an answer of the household or a record of
    the installer; either is to be fetched.
    """

    house: lim.HouseId
    request_id: lim.PositiveU32
    sample: Sample | None
    sample_age_ms: lim.U32
    outbox: bool
    post: bool = False


class MinuteBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="minutes"):
    """The answer to `Fetch`: journalled minutes, oldest first, possibly with holes.

    `more`: further minutes wait. A batch with minutes is answered by `MinutesAcknowledged`.
    """

    house: lim.HouseId
    request_id: lim.PositiveU32
    minutes: tuple[MeterMinute, ...]
    more: bool


class TargetAck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="target_ack"):
    """The answer to `Target`: `acknowledged_s` is the Unix time at which the *meter* acknowledged it.

    None while the meter has not; the central asks again by repeating the target's `command_id`.
    """

    house: lim.HouseId
    request_id: lim.PositiveU32
    command_id: lim.PositiveU32
    state: AckState
    reason: lim.Reason = ""
    acknowledged_s: lim.TimeS | None = None


class ContractAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the household answered to *Create Contract* for the minutes of `month` from `first_minute` on."""

    month: lim.Month
    first_minute: lim.Minute
    wish: Wish


class Post(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="post"):
    """The answer to `FetchPost`. What is in it waits at the house until `PostTaken`."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    answer: ContractAnswer | None = None
    swap: MeterSwap | None = None


class Delivered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="delivered"):
    """The answer to `Deliver`: it is on the house's disk. `check` is what the house finds of a bill."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    check: BillCheck | None = None


class ErrorMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="error"):
    """The house cannot answer this request (`request_id` 0: no request in particular)."""

    house: lim.HouseId
    request_id: lim.U32
    code: lim.Code
    text: lim.Text


# --- central to house -------------------------------------------------------------------------------


class Welcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="welcome"):
    """The central admits the house under the negotiated protocol version.

    `name` is the house's own; `last_minute` is its last acknowledged minute (None: there is none).
    """

    protocol: ProtocolVersion
    name: lim.Name
    zone: lim.Zone
    central_time_ms: lim.TimeMs
    connection_w: lim.ConnectionW
    last_minute: MeterMinute | None = None


class Refused(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused"):
    """The central's last word before it closes the connection. Its shape never changes.

    `code` is usually a `WireCode`, but may be one that only a newer central knows.
    """

    code: lim.Code
    text: lim.Text


class Poll(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="poll"):
    """The central asks for the live sample and tells time, prices and pool (5.6, 5.7).

    `rate` is what local energy costs now in micro-coins per kWh (None: nothing is exported);
    `allotment_w` the house's share of what sellers can give (None: it is not a consumer).
    """

    request_id: lim.PositiveU32
    central_time_ms: lim.TimeMs
    rate: lim.Price | None
    tariff: lim.Price
    pool_w: lim.PoolW
    allotment_w: lim.TargetW | None = None


class Fetch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="fetch"):
    """The central asks for at most `limit` journalled minutes from `first_minute` on."""

    request_id: lim.PositiveU32
    first_minute: lim.Minute
    limit: BatchLimit


class MinutesAcknowledged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="acknowledged"):
    """Exactly which (minute, revision) of the batch `request_id` are committed to the central's disk.

    Only these may be pruned by the house. Empty: none of them (they will be fetched again).
    """

    request_id: lim.PositiveU32
    committed: CommittedMinutes


class Target(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="target"):
    """What the house shall export until `expires_s` (Unix time); `target_w` None withdraws the target.

    A repeated `command_id` is the same command: it holds for longer, and asks for its state again. Once it
    has expired or is withdrawn the house goes to `fallback_w`, its safe output, by itself.
    """

    request_id: lim.PositiveU32
    command_id: lim.PositiveU32
    target_w: lim.TargetW | None
    hold: Hold
    reason: lim.Reason
    expires_s: lim.TimeS
    fallback_w: lim.TargetW


class ContractCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="contract_call"):
    """*Create Contract* (5.3), and later how it stands. Said whenever that changes; not answered at once.

    The household answers when it likes, until `closes_s`; the house then sets `post`. `refusal` is what
    was wrong with its last answer, by field of `Wish` ('': the answer itself). `agreed` is the month's
    contract once `basis` is set. `permitted`: every contract is final and exchange is permitted (5.6).
    """

    month: lim.Month
    first_minute: lim.Minute
    end_minute: lim.Minute
    closes_s: lim.TimeS
    tariff: lim.Price  # the national one at the month's start
    connection_w: lim.ConnectionW
    last: Contract | None = None  # the house's contract before
    last_max_w: lim.Power | None = None  # the largest power of its role in the month before
    refusal: dict[lim.WishField, lim.Text] = {}
    basis: Basis | None = None
    agreed: Contract | None = None
    permitted: bool = False


class FetchPost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="fetch_post"):
    """The central asks for what the house announced by `post`."""

    request_id: lim.PositiveU32


class PostTaken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="post_taken"):
    """What was in the post of this request is on the central's disk, or was refused in words."""

    request_id: lim.PositiveU32


class Deliver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="deliver"):
    """A house's own bill, or an adjustment beside one (5.10). Repeated until `Delivered`."""

    request_id: lim.PositiveU32
    bill: Bill | None = None
    adjustment: Adjustment | None = None


class MonthSoFar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="month_so_far"):
    """The house's own month through minute `through` - 1, settled from what has been recorded.

    Said once a minute. Energies and amounts as in a statement, `adjustments` what earlier months still owe,
    `waived` what the operator has waived of its penalties.
    """

    month: lim.Month
    through: lim.Minute
    contract: Contract | None
    microgrid_energy: lim.S64
    national_energy: lim.S64
    microgrid_amount: lim.S64
    national_amount: lim.S64
    penalties: PenaltyParts
    adjustments: lim.S64
    waived: lim.S64 = 0


HouseMessage = Hello | Reply | MinuteBatch | TargetAck | Post | Delivered | ErrorMessage
CentralMessage = (
    Welcome
    | Refused
    | Poll
    | Fetch
    | MinutesAcknowledged
    | Target
    | ContractCall
    | FetchPost
    | PostTaken
    | Deliver
    | MonthSoFar
)
Message = HouseMessage | CentralMessage


def tag_of(message: Message) -> str:
    """The name under which a message travels."""
    return str(message.__struct_config__.tag)
