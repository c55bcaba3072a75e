"""A libp2p node that finds the peers of its network: python main.py <bootstrap multiaddr> <network> <listen port>"""

import json
import random
import sys
from contextlib import suppress

import trio
from libp2p import new_host
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr


async def main(address, network, port, target=8, first=0.5, refresh=300):
    bootstrap, host = info_from_p2p_addr(Multiaddr(address)), new_host()
    request = {"address": f":{port}", "network": network, "limit": target, "explain": True}
    known, asked, wait, pace, retry_after = set(), trio.current_time(), 0, 1, 0
    listen = [Multiaddr(f"/{ip}/tcp/{port}") for ip in ("ip4/0.0.0.0", "ip6/::")]
    async with host.run(listen), trio.open_nursery() as nursery:
        while True:
            peers = set(host.get_connected_peers()) - {bootstrap.peer_id}
            for peer in peers - known:
                print(f"connected {peer}", flush=True)
            known, enough = peers, len(peers) >= target
            if trio.current_time() >= asked + max(retry_after, pace * (refresh if enough else wait)):
                answer = await exchange(host, bootstrap, request)
                print(json.dumps(answer), file=sys.stderr)
                for record in answer.get("peers", []):
                    nursery.start_soon(connect, host, record["address"])
                retry_after = answer.get("error", {}).get("retryAfter", 0)
                wait = first if enough else min(max(first, 2 * wait), refresh)
                asked, pace = trio.current_time(), random.uniform(0.8, 1.2)
            await trio.sleep(0.1)


async def exchange(host, bootstrap, request):
    host.get_network().unblock_peer(bootstrap.peer_id)  # py-libp2p would not dial it for a minute after a failure
    try:
        with trio.fail_after(15):
            await host.connect(bootstrap)
            stream = await host.new_stream(bootstrap.peer_id, ["/bootstrap/1.0.0"])
            await stream.write(json.dumps(request).encode() + b"\n")
            await stream.close_write()
            line = b""
            while not line.endswith(b"\n") and len(line) < 512 * 1024:
                line += await stream.read(64 * 1024)
            return json.loads(line)
    except Exception as error:
        return {"error": {"message": repr(error)}}
    finally:
        await host.disconnect(bootstrap.peer_id)  # or it would count as a peer


async def connect(host, address):
    with suppress(Exception):  # a later answer names it again
        if (peer := info_from_p2p_addr(Multiaddr(address))).peer_id != host.get_id():
            await host.connect(peer)


sys.exit(__doc__) if len(sys.argv) != 4 else trio.run(main, *sys.argv[1:])
