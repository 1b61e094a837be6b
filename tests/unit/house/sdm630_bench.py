"""An SDM630 on the bench: its registers as the map says, served by pymodbus's own server."""

import asyncio
import contextlib
import os
import select
import struct
import threading
import tty

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

NUMBER = 19_120_045
# Register numbers of the documentation; a house that draws 1.0, 2.0 and gives 0.5 kW on its phases.
SHOWN = {
    30001: 230.1, 30003: 229.5, 30005: 231.25,
    30007: 4.5, 30009: 9.0, 30011: 2.25,
    30013: 1000.0, 30015: 2000.0, 30017: -500.0,
    30019: 1035.45, 30021: 2065.5, 30023: 520.3,
    30025: 268.6, 30027: -516.2, 30029: 143.9,
    30031: 0.966, 30033: -0.968, 30035: -0.961,
    30037: 15.0, 30039: -14.5, 30041: 164.0,
    30053: 2500.0, 30057: 3621.25, 30061: -103.7,
    30071: 49.98, 30073: 1034.56, 30075: 78.9,
}  # fmt: skip


def registers(**changed):
    """The 76 input registers; `changed` by register number: r30053=100.0."""
    floats = [0.0] * 38
    for number, value in {**SHOWN, **{int(name[1:]): value for name, value in changed.items()}}.items():
        floats[(number - 30001) // 2] = value
    return list(struct.unpack(">76H", struct.pack(">38f", *floats)))


class Unit:
    """One meter on the line. `fault` is answered in place of everything, `mute` answers nothing."""

    def __init__(self, number=NUMBER, **changed):
        self.number = number
        self.fault: ExcCodes | None = None
        self.numberless = False
        self.asked = []
        self.show(**changed)

    def show(self, **changed):
        self.registers = registers(**changed)

    def device(self, unit):
        nothing = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        holding = [SimData(0xFC00, values=[0, 0], datatype=DataType.REGISTERS)]
        inputs = [SimData(0, values=[0] * 80, datatype=DataType.REGISTERS)]
        return SimDevice(unit, simdata=(nothing, nothing, holding, inputs), action=self._answer)

    async def _answer(self, function, _start, address, count, current, _values):
        self.asked.append((function, address, count))
        if self.fault is not None or (self.numberless and function == 3):
            return self.fault or ExcCodes.ILLEGAL_ADDRESS
        if function == 3:
            current[:] = [self.number >> 16, self.number & 0xFFFF]
        else:
            current[: len(self.registers)] = self.registers
        return None


class Bench:
    """Runs a server in a thread of its own; `units` by their numbers."""

    def __init__(self, **units):
        self.units = {int(name[1:]): unit for name, unit in units.items()} or {1: Unit()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bench")
        self._thread.start()
        self._server = None

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def serve_tcp(self, port=0):
        """Returns the port."""
        return self._do(self._serve(ModbusTcpServer, address=("127.0.0.1", port)))

    def serve_rtu(self, port, baud=9600):
        self._do(self._serve(ModbusSerialServer, port=port, baudrate=baud))

    async def _serve(self, kind, **more):
        devices = [unit.device(number) for number, unit in self.units.items()]
        self._server = kind(devices, ignore_missing_devices=True, **more)
        await self._server.serve_forever(background=True)
        sockets = getattr(self._server.transport, "sockets", None)
        return sockets[0].getsockname()[1] if sockets else None

    def end(self):
        """The server is gone, with all its connections."""
        if self._server is not None:
            self._do(self._server.shutdown())
            self._server = None

    def close(self):
        self.end()
        self._do(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _settle(self):
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0.01)


class Wires:
    """Two serial ports joined to each other."""

    def __init__(self):
        self._masters, self._slaves = [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self._masters.append(master)
            self._slaves.append(slave)
        self.here, self.there = map(os.ttyname, self._slaves)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="wires")
        self._thread.start()

    def _carry(self):
        one, other = self._masters
        while not self._ending.is_set():
            ready, _, _ = select.select(self._masters, [], [], 0.02)
            for end in ready:
                with contextlib.suppress(OSError):
                    os.write(other if end == one else one, os.read(end, 4096))

    def close(self):
        self._ending.set()
        self._thread.join()
        for end in (*self._masters, *self._slaves):
            with contextlib.suppress(OSError):
                os.close(end)
