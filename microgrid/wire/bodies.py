"""Messages as bytes: the body of a frame is one message in msgpack.

Sample, MeterMinute and what a household or an installer enters come from outside and carry no limits of
their own, so their bodies are decoded into constrained twins (`_SampleBody`, `_MinuteBody`, …) and then
converted.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from microgrid.minute import Origin
from microgrid.sample import CommandState
from microgrid.terms import MAX_PRICE, Obligation, Role, Source
from microgrid.wire import limits as lim
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.messages import (
    MAX_BATCH_MINUTES,
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
    ProtocolVersion,
    Refused,
    Reply,
    Target,
    TargetAck,
    Welcome,
)


class _SampleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    boot_id: lim.U32
    uptime_ms: lim.U63
    sequence: lim.U32
    voltage_v: tuple[lim.Voltage, lim.Voltage, lim.Voltage]
    current_a: tuple[lim.Current, lim.Current, lim.Current]
    power_factor: tuple[lim.PowerFactor, lim.PowerFactor, lim.PowerFactor]
    leading: tuple[bool, bool, bool]
    exporting: tuple[bool, bool, bool]
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
    post: bool = False


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


class _WishBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Role
    max_w: lim.Power
    min_w: lim.Power = 0
    price: Annotated[int, Meta(ge=-MAX_PRICE, le=10 * MAX_PRICE)] = 0
    source: Source | None = None
    obligation: Obligation = Obligation.ALWAYS


class _AnswerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    month: lim.Month
    first_minute: lim.Minute
    wish: _WishBody


class _RegistersBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    epoch: lim.U63
    import_ws: lim.U63
    export_ws: lim.U63
    generation_ws: lim.U63


class _SwapBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    house: lim.HouseId
    at_s: lim.TimeS
    old: _RegistersBody
    new: _RegistersBody
    old_meter: lim.Name
    new_meter: lim.Name
    installer: lim.Name
    reason: lim.Reason


class _PostBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="post"):
    house: lim.HouseId
    request_id: lim.PositiveU32
    answer: _AnswerBody | None = None
    swap: _SwapBody | None = None


class _Named(Struct):
    type: str


_PUBLIC: dict[type[Struct], type[Reply] | type[MinuteBatch] | type[Welcome] | type[Post]] = {
    _ReplyBody: Reply,
    _BatchBody: MinuteBatch,
    _WelcomeBody: Welcome,
    _PostBody: Post,
}
_OF_HOUSE = Hello | TargetAck | Delivered | ErrorMessage
_OF_CENTRAL = Refused | Poll | Fetch | MinutesAcknowledged | Target | FetchPost | PostTaken
_PAPERS = ContractCall | Deliver | MonthSoFar  # of the central, whose records need no limits of their own
_Body = _OF_HOUSE | _OF_CENTRAL | _PAPERS | _ReplyBody | _BatchBody | _WelcomeBody | _PostBody
_TAGS = frozenset(str(kind.__struct_config__.tag) for kind in Message.__args__)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Body] = msgspec.msgpack.Decoder(_Body)
_name_decoder = msgspec.msgpack.Decoder(_Named)


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
        return decoded  # type: ignore[return-value]  # not a twin, so public itself
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
