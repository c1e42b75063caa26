"""Ports on loopback that nobody uses.

Below the kernel's ephemeral range, so that no outgoing connection takes one between our look and
the program's bind; chosen at random, so that two runs at once rarely meet; never given twice in a run.
"""

import random
import socket

LOWEST = 11000
HIGHEST = 31999  # net.ipv4.ip_local_port_range starts at 32768

_given: set[int] = set()
_random = random.SystemRandom()


def _free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port(host: str = "127.0.0.1", span: int = 2, lowest: int = LOWEST, highest: int = HIGHEST) -> int:
    """A port free for UDP and TCP, with its `span - 1` followers (baresip binds its port + 1 too)."""
    for _ in range(1000):
        first = _random.randrange(lowest, highest - span)
        wanted = range(first, first + span)
        if _given.isdisjoint(wanted) and all(_free(host, port) for port in wanted):
            _given.update(wanted)
            return first
    raise RuntimeError(f"no free port on {host}")
