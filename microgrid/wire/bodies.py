"""Messages as bytes: the body of a frame is one message in msgpack.

What has limits of its own is decoded as it is; everything that holds a record of the program is decoded
into its constrained twin (`twins.py`) and then converted.
"""

from typing import Any

import msgspec
from msgspec import Struct

from microgrid.wire import twins
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.messages import (
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
)


class _Named(Struct):
    type: str


_PUBLIC: dict[type[Struct], type[Any]] = {
    twins.ReplyBody: Reply,
    twins.BatchBody: MinuteBatch,
    twins.PostBody: Post,
    twins.DeliveredBody: Delivered,
    twins.WelcomeBody: Welcome,
    twins.CallBody: ContractCall,
    twins.DeliverBody: Deliver,
    twins.MonthSoFarBody: MonthSoFar,
}
_PLAIN_OF_HOUSE = Hello | TargetAck | ErrorMessage
_PLAIN_OF_CENTRAL = Refused | Poll | Fetch | MinutesAcknowledged | Target | FetchPost | PostTaken
_OF_HOUSE = _PLAIN_OF_HOUSE | twins.ReplyBody | twins.BatchBody | twins.PostBody | twins.DeliveredBody
_OF_CENTRAL = (
    _PLAIN_OF_CENTRAL | twins.WelcomeBody | twins.CallBody | twins.DeliverBody | twins.MonthSoFarBody
)
_Body = _OF_HOUSE | _OF_CENTRAL
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
    message: Message = msgspec.convert(decoded, public, from_attributes=True)
    return message


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
