"""The two ends of a connection on the LAN, without any I/O: bytes in, messages out, and the other way.

A frame is a 4-byte big-endian length and a body of that many bytes (`bodies.py`). The bytes may come
in any pieces. The end of the byte stream needs no call here: an unfinished frame is simply lost.
"""

from typing import Generic, TypeVar

from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.messages import CentralMessage, HouseMessage, Message, tag_of
from microgrid.wire.session import Phase, Session

LENGTH_BYTES = 4
MAX_OPENING_BODY_BYTES = 4 * 1024  # until the connection is linked
MAX_BODY_BYTES = 256 * 1024

Incoming = TypeVar("Incoming", bound=Message)
Outgoing = TypeVar("Outgoing", bound=Message)


class FrameBuffer:
    """Takes bytes in any pieces and gives bodies; keeps no more than one unfinished frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def next_body(self, limit: int) -> bytes | None:
        """The next whole body, or None; WireError as soon as a frame announces more than `limit` bytes."""
        if len(self._buffer) < LENGTH_BYTES:
            return None
        length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        if length > limit:
            raise WireError(
                WireCode.TOO_LARGE, f"A message of {length} bytes was announced; the limit is {limit}."
            )
        end = LENGTH_BYTES + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[LENGTH_BYTES:end])
        del self._buffer[:end]
        return body

    def clear(self) -> None:
        """Forget what is buffered."""
        self._buffer.clear()


def frame(body: bytes) -> bytes:
    """A body with its length in front."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class _Connection(Generic[Incoming, Outgoing]):
    """What both ends have in common; `_incoming` is what the other end may say."""

    _incoming: tuple[type, ...]

    def __init__(self) -> None:
        self._session = Session()
        self._frames = FrameBuffer()

    @property
    def phase(self) -> Phase:
        """How far the connection has come."""
        return self._session.phase

    @property
    def closed(self) -> bool:
        """Whether nothing more will be heard: closed by either end, or failed."""
        return self.phase in (Phase.FAILED, Phase.CLOSED)

    @property
    def house(self) -> str | None:
        """The house's ID once Hello was said."""
        return self._session.house

    @property
    def protocol(self) -> int:
        """The protocol version: after Hello the best common one, after Welcome the agreed one."""
        return self._session.protocol

    @property
    def outstanding(self) -> int:
        """How many requests are without an answer."""
        return self._session.outstanding

    def receive_data(self, data: bytes) -> list[Incoming]:
        """The messages completed by these bytes, in order.

        Raises WireError once, when the other end breaks the protocol; messages before it in the same
        bytes are dropped, as if the connection had been lost a moment earlier. From then on, and once
        closed, bytes are ignored. After the WireError one last word may be sent: `Refused` by the
        central, `ErrorMessage` by the house.
        """
        messages: list[Incoming] = []
        if self.closed:
            return messages
        self._frames.feed(data)
        try:
            while not self.closed and (body := self._frames.next_body(self._limit())) is not None:
                messages.append(self._receive(body))
        except WireError:
            self._session.phase = Phase.FAILED
            self._frames.clear()
            raise
        if self.closed:
            self._frames.clear()
        return messages

    def send(self, message: Outgoing) -> bytes:
        """The bytes of a message; WireError, and nothing changed, if the other end would not take it."""
        if isinstance(message, self._incoming):
            raise _wrong_direction(message)
        body = encode_body(message)
        if len(body) > self._limit():
            raise WireError(
                WireCode.TOO_LARGE,
                f"Message {tag_of(message)!r} has {len(body)} bytes; the limit is {self._limit()}.",
            )
        self._session.advance(message)
        return frame(body)

    def close(self) -> None:
        """Say and hear nothing more."""
        self._session.phase = Phase.CLOSED
        self._frames.clear()

    def _limit(self) -> int:
        return MAX_BODY_BYTES if self.phase is Phase.LINKED else MAX_OPENING_BODY_BYTES

    def _receive(self, body: bytes) -> Incoming:
        message = decode_body(body)
        if not isinstance(message, self._incoming):
            raise _wrong_direction(message)
        self._session.advance(message)
        return message  # type: ignore[return-value]  # `_incoming` is Incoming at run time


class HouseConnection(_Connection[CentralMessage, HouseMessage]):
    """The house's end: it opens with `Hello` and from `Welcome` on answers requests."""

    _incoming = CentralMessage.__args__


class CentralConnection(_Connection[HouseMessage, CentralMessage]):
    """The central's end: it answers `Hello` with `Welcome` or `Refused` and then leads."""

    _incoming = HouseMessage.__args__

    def next_request_id(self) -> int:
        """A request id for the next request that is not outstanding."""
        return self._session.next_request_id()


def _wrong_direction(message: Message) -> WireError:
    speaker = "house" if isinstance(message, HouseMessage) else "central"
    return WireError(
        WireCode.WRONG_DIRECTION, f"Message {tag_of(message)!r} is only ever sent by a {speaker}."
    )
