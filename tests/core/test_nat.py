"""Which private address a public one and a port are: told by the rule alone, the same both ways."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.nat import PORTS, Sharing

TWO = Sharing(IPv4Network("100.64.0.0/25"), IPv4Network("203.0.113.0/31"), 1024, 1000)


@pytest.mark.parametrize(
    ("address", "port", "inside"),
    [
        ("203.0.113.0", 1024, "100.64.0.0"),
        ("203.0.113.0", 2023, "100.64.0.0"),
        ("203.0.113.0", 2024, "100.64.0.1"),
        ("203.0.113.0", 65023, "100.64.0.63"),
        ("203.0.113.1", 1024, "100.64.0.64"),
        ("203.0.113.1", 65023, "100.64.0.127"),
        ("203.0.113.0", 1023, None),
        ("203.0.113.0", 65024, None),
        ("203.0.113.2", 1024, None),
    ],
)
def test_blocks_are_taken_in_order_and_the_next_address_follows(address, port, inside):
    assert TWO.blocks == 64
    assert TWO.inside_of(IPv4Address(address), port) == (IPv4Address(inside) if inside else None)


def test_a_place_beyond_the_private_network_is_nobody_s():
    few = Sharing(IPv4Network("100.64.0.0/30"), IPv4Network("203.0.113.0/32"), 0, 1024)
    assert few.inside_of(IPv4Address("203.0.113.0"), 4 * 1024 - 1) == IPv4Address("100.64.0.3")
    assert few.inside_of(IPv4Address("203.0.113.0"), 4 * 1024) is None
    with pytest.raises(ValueError):
        few.outside_of(IPv4Address("100.64.0.4"))


@given(
    st.integers(24, 32), st.integers(28, 32), st.integers(0, PORTS - 1), st.integers(1, PORTS), st.integers(0, 255),
    st.data(),
)  # fmt: skip
def test_every_customer_s_ports_are_his_alone(inside_bits, outside_bits, first_port, ports_each, place, data):
    inside, outside = IPv4Network(f"100.64.0.0/{inside_bits}"), IPv4Network(f"203.0.113.0/{outside_bits}")
    sharing = Sharing(inside, outside, first_port, min(ports_each, PORTS - first_port))
    if not sharing.fits:
        return
    mine = inside[place % inside.num_addresses]
    address, ports = sharing.outside_of(mine)
    assert len(ports) == sharing.ports_each
    assert sharing.inside_of(address, data.draw(st.sampled_from(ports))) == mine
    assert {sharing.inside_of(address, ports[0]), sharing.inside_of(address, ports[-1])} == {mine}
    assert mine not in {sharing.inside_of(address, ports[0] - 1), sharing.inside_of(address, ports[-1] + 1)}
