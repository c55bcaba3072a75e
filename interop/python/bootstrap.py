"""A client of /bootstrap/1.0.0 on py-libp2p."""

import json

import trio
from libp2p.network.stream.exceptions import StreamEOF

PROTOCOL = "/bootstrap/1.0.0"

# Seconds an exchange may take. The node's own deadlines add up to 11 s.
TIMEOUT = 15

# The longest answer there is.
MAX_ANSWER_BYTES = 512 * 1024


async def exchange(host, node, request):
    """Sends one request and returns its answer: all there is to the protocol."""
    with trio.fail_after(TIMEOUT):
        await host.connect(node)
        stream = await host.new_stream(node.peer_id, [PROTOCOL])
        await stream.write(json.dumps(request).encode() + b"\n")
        await stream.close_write()
        line = await read_to_end(stream)
        # py-libp2p takes no note when the node hangs up, and would go on using the connection.
        await host.disconnect(node.peer_id)
        return json.loads(line)


async def read_to_end(stream):
    """py-libp2p tells the end of a stream by an exception."""
    parts = bytearray()
    try:
        while len(parts) < MAX_ANSWER_BYTES and (part := await stream.read(MAX_ANSWER_BYTES)):
            parts += part
    except StreamEOF:
        pass
    return bytes(parts)
