"""Two ends of a LAN connection back to back and bodies to be spoilt, and what is refused of them."""

import msgspec
import pytest

from microgrid.wire import limits as lim
from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.lan import (
    CentralConnection,
    HouseConnection,
    frame,
)
from microgrid.wire.messages import (
    ErrorMessage,
    Fetch,
    Message,
    MinuteBatch,
    MinutesAcknowledged,
    Refused,
)
from microgrid.wire.session import Phase
from tests.unit.wire.examples import HELLO, MINUTE, WELCOME

ROWS = tuple(msgspec.structs.replace(MINUTE, minute=minute) for minute in (100, 101, 105))
FETCH = Fetch(request_id=7, first_minute=100, limit=10)
BATCH = MinuteBatch(house="B", request_id=7, minutes=ROWS, more=False)
ACKNOWLEDGED = MinutesAcknowledged(request_id=7, committed=((100, 0), (105, 0)))
ERROR = ErrorMessage(house="B", request_id=0, code="not_available", text="Starting.")
REFUSED = Refused(code="unknown_house", text="House B is not known here.")


def framed(message) -> bytes:
    """A message's bytes without any connection to object to it."""
    return frame(encode_body(message))


def linked() -> tuple[HouseConnection, CentralConnection]:
    house, central = HouseConnection(), CentralConnection()
    assert central.receive_data(house.send(HELLO)) == [HELLO]
    assert house.receive_data(central.send(WELCOME)) == [WELCOME]
    return house, central


def asked(request) -> tuple[HouseConnection, CentralConnection]:
    house, central = linked()
    assert house.receive_data(central.send(request)) == [request]
    return house, central


def refuses(connection, message, code: WireCode) -> WireError:
    """The connection neither sends nor takes this message, and is failed only by the latter."""
    phase, outstanding = connection.phase, connection.outstanding
    with pytest.raises(WireError) as caught:
        connection.send(message)
    assert caught.value.code is code
    assert (connection.phase, connection.outstanding) == (phase, outstanding)
    return caught.value


def fails(connection, data: bytes, code: WireCode) -> WireError:
    """These bytes fail the connection, once; afterwards it is deaf."""
    with pytest.raises(WireError) as caught:
        connection.receive_data(data)
    assert caught.value.code is code
    assert connection.phase is Phase.FAILED
    assert connection.closed
    assert not connection._frames._buffer
    assert connection.receive_data(framed(HELLO) * 3) == []
    assert not connection._frames._buffer
    return caught.value


# --- bodies ----------------------------------------------------------------------------------------

pack = msgspec.msgpack.encode


def raw(message: Message) -> dict:
    """A message as the plain map that travels, to be spoilt."""
    return msgspec.msgpack.decode(encode_body(message))


def fault(body: object) -> WireError:
    with pytest.raises(WireError) as caught:
        decode_body(body if isinstance(body, bytes) else pack(body))
    assert caught.value.text.isprintable()
    assert len(caught.value.text) <= lim.MAX_TEXT_CHARS
    # The sentence must be fit to be sent to the other end.
    encode_body(Refused(code=caught.value.code, text=caught.value.text))
    return caught.value
