"""What can go wrong on a wire, by name: whatever bytes arrive, the answer is a message or a `WireError`."""

from enum import StrEnum


class WireCode(StrEnum):
    """Machine-readable name of a fault; these words also travel in `Refused` and `ErrorMessage`."""

    # the serial line
    OVERLONG_LINE = "overlong_line"
    NOT_A_PACKET = "not_a_packet"
    NOT_A_COMMAND = "not_a_command"
    NO_CHECKSUM = "no_checksum"
    BAD_CHECKSUM = "bad_checksum"
    FIELD_COUNT = "field_count"
    # both wires
    BAD_FIELD = "bad_field"
    VERSION = "version"
    # frames and bodies of the LAN
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    # the session on the LAN
    WRONG_DIRECTION = "wrong_direction"
    OUT_OF_ORDER = "out_of_order"
    UNSOLICITED = "unsolicited"
    DUPLICATE_REQUEST = "duplicate_request"
    TOO_MANY_REQUESTS = "too_many_requests"
    WRONG_HOUSE = "wrong_house"
    CLOSED = "closed"
    # said by a program, not by this layer
    UNKNOWN_HOUSE = "unknown_house"
    DUPLICATE_HOUSE = "duplicate_house"
    NOT_AVAILABLE = "not_available"
    SHUTTING_DOWN = "shutting_down"


class WireError(Exception):
    """A named fault of the other end, or of what this end was asked to send.

    `code` is for programs, `text` is one sentence for a person.
    """

    def __init__(self, code: WireCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def __repr__(self) -> str:
        return f"WireError({self.code.value!r}, {self.text!r})"
