"""Ports for servers that tests start."""

import socket


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nothing listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
