"""py-libp2p's own rendezvous client, unmodified, as a program: it connects to a rendezvous point, says who it is, and
takes a command a line, each answered with a line of JSON:

    register <namespace> <ttl>     {"ttl": …}
    discover <namespace> <limit>   from the beginning: {"peers": [{"peerId", "addresses"}]}
    more <namespace> <limit>       with the last cookie: the same
    unregister <namespace>         {}

What fails is {"error": …}. It stays up until stdin ends.
"""

import json
import sys

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.discovery.rendezvous.client import RendezvousClient
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

# Seconds a command may take.
TIMEOUT = 20


async def main():
    point = info_from_p2p_addr(Multiaddr(sys.argv[1]))
    host = new_host(key_pair=create_new_key_pair())
    async with host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        await host.connect(point)
        client = RendezvousClient(host, point.peer_id)
        report({"peerId": str(host.get_id()), "address": str(host.get_transport_addrs()[0])})
        cookie = b""
        async for line in lines():
            try:
                with trio.fail_after(TIMEOUT):
                    answer, cookie = await obey(client, cookie, *line.split(" "))
                report(answer)
            except Exception as error:
                report({"error": f"{type(error).__name__}: {error}"})


async def obey(client, cookie, command, namespace, number="0"):
    if command == "register":
        return {"ttl": await client.register(namespace, int(number))}, cookie
    if command == "unregister":
        await client.unregister(namespace)
        return {}, cookie
    if command in ("discover", "more"):
        peers, cookie = await client.discover(namespace, int(number), cookie if command == "more" else b"")
        found = [{"peerId": str(peer.peer_id), "addresses": [str(address) for address in peer.addrs]} for peer in peers]
        return {"peers": found}, cookie
    raise ValueError(f"no command {command!r}")


async def lines():
    """What comes on stdin, while the host goes on."""
    while line := await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
        yield line.rstrip("\n")


def report(result):
    print(json.dumps(result), flush=True)


trio.run(main)
