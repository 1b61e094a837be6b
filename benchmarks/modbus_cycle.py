"""The same poll with pymodbus: cycles of `modbus_cycle.py COUNT ROUNDS`, each in ms, as a JSON list.

Devices answer from a second process. Every one has its connection and returns 120 registers, 240 bytes,
about what a house's reply holds.
"""

import asyncio
import json
import subprocess
import sys
import time

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 120


async def serve() -> None:
    """The devices: one server that any number of clients may connect to."""
    data = SimData(0, values=list(range(REGISTERS)), datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, [data]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    # pymodbus types its transport as asyncio's base class, which does not tell the port it was given.
    print(server.transport.sockets[0].getsockname()[1], flush=True)  # type: ignore[attr-defined]
    await asyncio.Event().wait()


async def poll(port: int, count: int, rounds: int) -> list[float]:
    """Read every device once a cycle, all at once."""
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(count)]
    for client in clients:
        if not await client.connect():
            raise ConnectionError("a device cannot be reached")
    cycles = []
    for _ in range(rounds):
        begun = time.perf_counter()
        answers = await asyncio.gather(
            *(client.read_holding_registers(0, count=REGISTERS, device_id=1) for client in clients)
        )
        cycles.append((time.perf_counter() - begun) * 1000)
        if any(answer.isError() or len(answer.registers) != REGISTERS for answer in answers):
            raise ValueError("a device answered with an error")
        await asyncio.sleep(0.2)
    for client in clients:
        client.close()
    return cycles


def main() -> None:
    """Start the devices, poll them, print the cycles."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
        return
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as devices:
        try:
            assert devices.stdout is not None
            port = int(devices.stdout.readline())
            print(json.dumps(asyncio.run(poll(port, *(int(argument) for argument in sys.argv[1:])))))
        finally:
            devices.terminate()


if __name__ == "__main__":
    main()
