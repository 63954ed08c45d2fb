"""Several processes on one port: each NAS has its own, and the kernel agrees with us on which."""

import socket

import pytest
from tests.installation import free_ports

from demarc.radiusd import fleet
from demarc.radiusd.config import share_of
from demarc.radiusd.fleet import Unsteerable, listen_together

ADDRESSES = [f"127.0.{third}.{last}" for third in (0, 1) for last in range(1, 40)]


@pytest.mark.parametrize("bind", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("processes", [2, 3])
def test_a_source_address_always_reaches_the_process_it_belongs_to(bind, processes):
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    together = listen_together(bind, port, processes)
    reached = set()
    for address in ADDRESSES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((address, 0))
            line.sendto(address.encode(), ("127.0.0.1", port))
        process = share_of(address, processes)
        assert together[process].recv(100) == address.encode()
        reached.add(process)
    assert reached == set(range(processes))
    for sock in together:
        sock.close()


def test_ipv6_goes_by_the_last_four_octets():
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    together = listen_together("::1", port, 2)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
        line.sendto(b"x", ("::1", port))
    assert together[share_of("::1", 2)].recv(10) == b"x"
    for sock in together:
        sock.close()


def test_a_port_that_somebody_else_has_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            listen_together("127.0.0.1", other.getsockname()[1], 2)


def test_an_ipv4_nas_is_the_same_on_a_socket_for_both_families():
    assert share_of("127.0.0.3", 2) == share_of("::ffff:127.0.0.3", 2)


def test_a_kernel_that_cannot_steer_says_so_and_leaves_the_port_free(monkeypatch):
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    monkeypatch.setattr(fleet, "steering", lambda processes: b"\xff" * 8)  # what this kernel takes for no program
    with pytest.raises(Unsteerable):
        listen_together("127.0.0.1", port, 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", port))
