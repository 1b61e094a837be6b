"""Following a conductor's clock from another process (virtual time): JSON lines on loopback.

A node says who it is; to each `{"tick": T, …}` it does all its work up to Unix second T and answers
`{"done": T, …}`; `{"stop": true}` ends it. Between ticks time stands still.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

OnTick = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def follow_clock(address: tuple[str, int], hello: dict[str, Any], on_tick: OnTick) -> None:
    """Work through ticks until told to stop.

    `on_tick` gets the whole tick message and returns what to add to the answer. ConnectionError if the
    conductor goes away before it said stop.
    """
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(json.dumps(hello).encode() + b"\n")
        while line := await reader.readline():
            message = json.loads(line)
            if message.get("stop"):
                return
            extra = await on_tick(message)
            writer.write(json.dumps({"done": message["tick"]} | extra).encode() + b"\n")
            await writer.drain()
        raise ConnectionError("The stepped clock closed the connection without a stop.")
    finally:
        writer.close()


def host_and_port(text: str) -> tuple[str, int]:
    """HOST:PORT as a pair; ValueError in words for another form."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65_536):
        raise ValueError(f"{text!r} is not an address; write it as HOST:PORT, for example 127.0.0.1:47474.")
    return host, int(port)
