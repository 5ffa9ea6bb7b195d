"""Ports for servers that tests start."""

import socket

HELD: list[socket.socket] = []
"""Bound and not listening, until the process ends: whoever binds to 0 meanwhile gets another port, and a server that
names one of these, with SO_REUSEADDR as all do, gets it."""


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nothing listens on."""
    for _ in range(count):
        probe = socket.socket()
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        HELD.append(probe)
    return [probe.getsockname()[1] for probe in HELD[-count:]]
