"""Following a conductor's clock over a real loopback socket."""

import asyncio
import json

import pytest

from node.stepped import follow_clock, host_and_port


def conducted(lines, on_tick):
    """Follows a conductor that sends these lines, each after the answer to the one before."""
    heard = []

    async def story():
        async def conduct(reader, writer):
            heard.append(json.loads(await reader.readline()))
            for line in lines:
                writer.write(json.dumps(line).encode() + b"\n")
                if "tick" in line:
                    heard.append(json.loads(await reader.readline()))
            writer.close()

        server = await asyncio.start_server(conduct, "127.0.0.1", 0)
        async with server:
            await follow_clock(server.sockets[0].getsockname()[:2], {"role": "house"}, on_tick)

    asyncio.run(asyncio.wait_for(story(), 5))
    return heard


def test_a_node_says_hello_works_through_ticks_and_ends_on_stop():
    ticks = []

    async def on_tick(message):
        ticks.append(message)
        return {"linked": ["A"]}

    heard = conducted([{"tick": 60, "sequence": 7}, {"tick": 120}, {"stop": True}], on_tick)
    assert ticks == [{"tick": 60, "sequence": 7}, {"tick": 120}]
    assert heard == [
        {"role": "house"},
        {"done": 60, "linked": ["A"]},
        {"done": 120, "linked": ["A"]},
    ]


def test_a_conductor_that_goes_away_is_an_error():
    async def on_tick(message):
        return {}

    with pytest.raises(ConnectionError, match="without a stop"):
        conducted([{"tick": 60}], on_tick)


def test_a_fault_in_a_tick_is_not_answered_as_done():
    async def on_tick(message):
        raise TimeoutError("House A: packet 3 did not arrive.")

    async def story():
        answers = []

        async def conduct(reader, writer):
            await reader.readline()
            writer.write(b'{"tick": 60}\n')
            answers.append(await reader.readline())
            writer.close()

        server = await asyncio.start_server(conduct, "127.0.0.1", 0)
        async with server:
            with pytest.raises(TimeoutError, match="packet 3"):
                await follow_clock(server.sockets[0].getsockname()[:2], {}, on_tick)
            while not answers:
                await asyncio.sleep(0.001)
        assert answers == [b""]

    asyncio.run(asyncio.wait_for(story(), 5))


def test_addresses():
    assert host_and_port("127.0.0.1:47474") == ("127.0.0.1", 47474)
    assert host_and_port("central.local:1") == ("central.local", 1)
    assert host_and_port("::1:80") == ("::1", 80)


@pytest.mark.parametrize(
    "text", ["", "47474", ":47474", "host:", "host:http", "host:65536", "host:-1", "host"]
)
def test_what_is_no_address_is_refused_in_words(text):
    with pytest.raises(ValueError, match="write it as HOST:PORT"):
        host_and_port(text)
