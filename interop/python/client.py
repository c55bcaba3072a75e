"""A py-libp2p peer of a bootstrap node. It listens on loopback, registers where it listens, and prints who it is and the
list it was answered with. Then it takes a command a line, and answers each with a line of JSON:

    ask <request>   sends a request as it is: {"answer": …}
    find <peer id>  looks a peer up in the list, dials it, pings it, hangs up: {"address": …, "rtt": seconds}

What fails is {"error": …}. It stays up until stdin ends.
"""

import argparse
import json
import sys

import trio
from libp2p import new_host
from libp2p.crypto import ed25519, rsa, secp256k1
from libp2p.host.ping import PingService
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

from bootstrap import TIMEOUT, exchange

KEYS = {
    "ed25519": ed25519.create_new_key_pair,
    "secp256k1": secp256k1.create_new_key_pair,
    "rsa": rsa.create_new_key_pair,
}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True, help="multiaddr of the bootstrap node, with /p2p")
    parser.add_argument("--network", default="", help="the network to register in")
    parser.add_argument("--key", default="ed25519", choices=KEYS, help="type of the identity")
    arguments = parser.parse_args()

    node = info_from_p2p_addr(Multiaddr(arguments.bootstrap))
    host = new_host(key_pair=KEYS[arguments.key]())
    async with host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        address = str(host.get_transport_addrs()[0])
        answer = await exchange(host, node, {"address": address, "network": arguments.network})
        report({"peerId": str(host.get_id()), "address": address, "answer": answer})

        async for line in lines():
            try:
                report(await obey(host, node, arguments.network, line))
            except Exception as error:
                report({"error": f"{type(error).__name__}: {error}"})


async def obey(host, node, network, line):
    command, _, argument = line.partition(" ")
    if command == "ask":
        return {"answer": await exchange(host, node, json.loads(argument))}
    if command == "find":
        return await find(host, node, network, argument)
    raise ValueError(f"no command {command!r}")


async def find(host, node, network, peer_id):
    for record in await exchange(host, node, {"network": network}):
        found = info_from_p2p_addr(Multiaddr(record["address"]))
        if str(found.peer_id) == peer_id:
            with trio.fail_after(TIMEOUT):
                # A connection that the other side made and has closed is still there to py-libp2p.
                await host.disconnect(found.peer_id)
                await host.connect(found)
                [rtt] = await PingService(host).ping(found.peer_id)
                await host.disconnect(found.peer_id)
            return {"address": record["address"], "rtt": rtt / 1000}
    raise LookupError(f"{peer_id} is not on the list")


async def lines():
    """What comes on stdin, while the host goes on."""
    while line := await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
        yield line.rstrip("\n")


def report(result):
    print(json.dumps(result), flush=True)


trio.run(main)
