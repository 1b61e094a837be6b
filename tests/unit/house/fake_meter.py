"""A small meter that can be calibrated: its channels are wrong by what it was built with."""

import math
from binascii import crc_hqx

import msgspec

from microgrid.calibration import PHASES, Channel, Quantity, Side
from microgrid.sample import MeterFlag
from microgrid.wire.calibration import ITEMS
from microgrid.wire.serial import encode_packet
from tests.unit.wire.examples import SAMPLE

VOLTAGES = [Channel(Quantity.VOLTAGE, phase) for phase in PHASES]
CURRENTS = [Channel(Quantity.CURRENT, phase, side) for side in Side for phase in PHASES]
ANGLES = [channel._replace(quantity=Quantity.ANGLE) for channel in CURRENTS]


class FakeMeter:
    """Answers lines and sends a packet whenever there is nothing else to wait for; a `Wire` by itself.

    `truth` is what is applied: V, A, degrees. What the formulas make of it is wrong by `gains` and `offsets`.
    """

    def __init__(self):
        self.values = {name: item.nominal for name, item in ITEMS.items()}
        self.saved = dict(self.values)
        self.truth = dict.fromkeys([*VOLTAGES, *CURRENTS, *ANGLES], 0.0)
        self.gains = dict.fromkeys(self.truth, 1.0)
        self.offsets = dict.fromkeys(self.truth, 0.0)
        self.flags = MeterFlag(0)
        self.noise = 0.0  # of the reading, up and down in turn
        self.boot_id = 5
        self.second = 10
        self.sent: list[str] = []  # lines it was sent
        self.refused: set[str] = set()  # names it does not take
        self.deaf_for = 0  # lines to come that it does not hear
        self.answers = b""
        self.unread = b""  # packets that came while nobody read

    def restart(self):
        self.values, self.boot_id, self.second = dict(self.saved), self.boot_id + 1, 0

    def apply(self, channels, *truths):
        for channel, truth in zip(channels, truths, strict=True):
            self.truth[channel] = truth

    def read(self, timeout_s):
        waited, self.answers, self.unread = self.unread + self.answers, b"", b""
        return waited or (self.packet() if timeout_s else b"")

    def pass_seconds(self, seconds):
        """Time passes while nobody reads."""
        self.unread += b"".join(self.packet() for _ in range(seconds))

    def write(self, data):
        for line in data.decode("ascii").splitlines():
            text, _, checksum = line.partition("*")
            assert checksum == f"{crc_hqx(text.encode(), 0xFFFF):04X}"
            self.sent.append(text)
            if self.deaf_for:
                self.deaf_for -= 1
                continue
            answer = self.answer(*text.split(",")[1:])
            self.answers += f"${answer}*{crc_hqx(answer.encode(), 0xFFFF):04X}\r\n".encode()

    def answer(self, name, value=None):
        if name == "SAVE":
            self.saved = dict(self.values)
            return "CAL,SAVED"
        if name in self.refused:
            return f"CAL,{name},REFUSED"
        if value is not None:
            self.values[name] = int(value)
        return f"CAL,{name},{self.values[name]}"

    def reading(self, channel):
        truth = self.truth[channel]
        if channel.quantity is Quantity.ANGLE:
            return truth + self.offsets[channel] - self.values[channel.offset] / 1000
        if not truth:
            return 0.0
        formula = truth * self.gains[channel] + self.offsets[channel]
        reading = formula * self.values[channel.gain] / 1e6 + self.values[channel.offset] / 1000
        return reading * (1 + self.noise * (-1) ** self.second)

    def packet(self):
        self.second += 1
        volts = [self.reading(channel) for channel in VOLTAGES]
        tie, generator = (
            [
                (volts[i], self.reading(CURRENTS[at + i]), math.radians(self.reading(ANGLES[at + i])))
                for i in range(3)
            ]
            for at in (0, 3)
        )
        p, q = ([v * i * turn(a) for v, i, a in tie] for turn in (math.cos, math.sin))
        made_p, made_q = (sum(v * i * turn(a) for v, i, a in generator) for turn in (math.cos, math.sin))
        sample = msgspec.structs.replace(
            SAMPLE,
            boot_id=self.boot_id,
            uptime_ms=self.second * 1000,
            sequence=self.second,
            voltage_v=tuple(volts),
            current_a=tuple(i for _, i, _ in tie),
            power_factor=tuple(abs(math.cos(a)) * (i > 0) for _, i, a in tie),
            exporting=tuple(one > 0 for one in p),
            leading=tuple(one * other < 0 for one, other in zip(p, q, strict=True)),
            generator_p_w=round(made_p),
            generator_q_var=round(made_q),
            generator_s_va=round(sum(v * i for v, i, _ in generator)),
            exchange_p_w=round(sum(p)),
            exchange_q_var=round(sum(q)),
            flags=self.flags,
        )
        return encode_packet(sample)
