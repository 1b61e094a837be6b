"""The messages between a house and the central, and their bodies as bytes (msgpack).

The house opens the connection, the central leads: every house message after `Hello` answers a request.
A new message is one struct here, its place in `HouseMessage` or `CentralMessage`, and its row in the
session's tables (`session.py`); see "Adding a message" in docs/protocol.md.

Sample and MeterMinute come from outside and carry no limits of their own, so bodies are decoded into
constrained twins (`_SampleBody`, `_MinuteBody`) and then converted.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from microgrid.minute import Hold, MeterMinute, Origin
from microgrid.sample import CommandState, Sample
from microgrid.wire import limits as lim
from microgrid.wire.errors import WireCode, WireError

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

    `outbox`: the house has something for the central, to be fetched.
    """

    house: lim.HouseId
    request_id: lim.PositiveU32
    sample: Sample | None
    sample_age_ms: lim.U32
    outbox: bool


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

    `rate` is what local energy costs now in micro-coins per kWh (None: nothing is exported).
    """

    request_id: lim.PositiveU32
    central_time_ms: lim.TimeMs
    rate: lim.Price | None
    tariff: lim.Price
    pool_w: lim.PoolW


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

    A repeated `command_id` is the same command and only asks for its state again.
    """

    request_id: lim.PositiveU32
    command_id: lim.PositiveU32
    target_w: lim.TargetW | None
    hold: Hold
    reason: lim.Reason
    expires_s: lim.TimeS


HouseMessage = Hello | Reply | MinuteBatch | TargetAck | ErrorMessage
CentralMessage = Welcome | Refused | Poll | Fetch | MinutesAcknowledged | Target
Message = HouseMessage | CentralMessage


# --- bodies -----------------------------------------------------------------------------------------


class _SampleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    boot_id: lim.U32
    uptime_ms: lim.U63
    sequence: lim.U32
    voltage_v: tuple[lim.Voltage, lim.Voltage, lim.Voltage]
    current_a: tuple[lim.Current, lim.Current, lim.Current]
    power_factor: tuple[lim.PowerFactor, lim.PowerFactor, lim.PowerFactor]
    leading: tuple[bool, bool, bool]
    frequency_hz: lim.Frequency
    generator_p_w: lim.Power
    generator_q_var: lim.Power
    generator_s_va: Annotated[int, Meta(ge=0, le=lim.MAX_POWER_W)]
    exchange_p_w: lim.Power
    exchange_q_var: lim.Power
    import_counter_ws: lim.U32
    export_counter_ws: lim.U32
    generation_counter_ws: lim.U32
    generator_breaker_closed: bool
    grid_breaker_closed: bool
    # Checked as a number first: MeterFlag would remember every unknown value it is shown, for ever.
    flags: Annotated[int, Meta(ge=0, le=lim.ALL_FLAGS)]
    command_id: lim.U32
    command_state: CommandState
    firmware: lim.Firmware


class _MinuteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    house: lim.HouseId
    minute: lim.Minute
    epoch: lim.U63
    import_ws: lim.U63
    export_ws: lim.U63
    generation_ws: lim.U63
    closed_s: lim.SecondsOfMinute
    covered_s: lim.SecondsOfMinute
    max_w: lim.Power
    min_w: lim.Power
    voltage_mv: Annotated[int, Meta(ge=0, le=round(lim.MAX_VOLTAGE_V * 1000))]
    current_ma: Annotated[int, Meta(ge=0, le=round(lim.MAX_CURRENT_A * 1000))]
    power_factor_milli: Annotated[int, Meta(ge=0, le=1000)]
    frequency_mhz: Annotated[int, Meta(ge=0, le=round(lim.MAX_FREQUENCY_HZ * 1000))]
    suspect: Annotated[int, Meta(ge=0, le=65_535)]
    origin: Origin
    revision: lim.Revision


class _ReplyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reply"):
    house: lim.HouseId
    request_id: lim.PositiveU32
    sample: _SampleBody | None
    sample_age_ms: lim.U32
    outbox: bool


class _BatchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="minutes"):
    house: lim.HouseId
    request_id: lim.PositiveU32
    minutes: Annotated[tuple[_MinuteBody, ...], Meta(max_length=MAX_BATCH_MINUTES)]
    more: bool


class _WelcomeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="welcome"):
    protocol: ProtocolVersion
    name: lim.Name
    zone: lim.Zone
    central_time_ms: lim.TimeMs
    connection_w: lim.ConnectionW
    last_minute: _MinuteBody | None = None


class _Named(Struct):
    type: str


_PUBLIC: dict[type[Struct], type[Reply] | type[MinuteBatch] | type[Welcome]] = {
    _ReplyBody: Reply,
    _BatchBody: MinuteBatch,
    _WelcomeBody: Welcome,
}
_PLAIN = Hello | TargetAck | ErrorMessage | Refused | Poll | Fetch | MinutesAcknowledged | Target
_Body = _PLAIN | _ReplyBody | _BatchBody | _WelcomeBody
_TAGS = frozenset(str(kind.__struct_config__.tag) for kind in Message.__args__)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Body] = msgspec.msgpack.Decoder(_Body)
_name_decoder = msgspec.msgpack.Decoder(_Named)


def tag_of(message: Message) -> str:
    """The name under which a message travels."""
    return str(message.__struct_config__.tag)


# All that msgspec answers to bad input; a bare UnicodeDecodeError and RecursionError are among it.
_BAD_INPUT = (msgspec.MsgspecError, ValueError, RecursionError)
_BAD_OUTPUT = (*_BAD_INPUT, OverflowError, TypeError)


def encode_body(message: Message) -> bytes:
    """A message's body; WireError if it is one that `decode_body` would not take."""
    try:
        body = _encoder.encode(message)
    except _BAD_OUTPUT as fault:
        raise WireError(WireCode.BAD_FIELD, _sentence(fault)) from fault
    decode_body(body)
    return body


def decode_body(body: bytes) -> Message:
    """The message in a body; WireError names the unknown type or the field that is wrong."""
    try:
        decoded = _decoder.decode(body)
    except _BAD_INPUT as fault:
        raise _refusal(body, fault) from fault
    public = _PUBLIC.get(type(decoded))
    if public is None:
        return decoded  # type: ignore[return-value]  # not a twin, so one of _PLAIN
    return msgspec.convert(decoded, public, from_attributes=True)


def _refusal(body: bytes, fault: Exception) -> WireError:
    if not isinstance(fault, msgspec.ValidationError):
        return WireError(WireCode.MALFORMED, f"The message is not valid msgpack: {_sentence(fault)}")
    try:
        name = _name_decoder.decode(body).type
    except _BAD_INPUT:
        return WireError(WireCode.MALFORMED, f"The message has no readable type: {_sentence(fault)}")
    if name not in _TAGS:
        return WireError(WireCode.UNKNOWN_TYPE, f"unknown message type {name[:40]!r}")
    return WireError(WireCode.BAD_FIELD, f"In message {name!r}: {_sentence(fault)}")


def _sentence(fault: Exception) -> str:
    """What msgspec says, kept printable and short: it may quote what the other end sent."""
    text = str(fault).encode("ascii", "backslashreplace").decode("ascii")
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
