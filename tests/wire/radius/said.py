"""All that an Accounting-Request says, read by the packet's own getters, to be held against the vectors."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import NamedTuple

from demarc.wire.radius import Packet, keys


class Said(NamedTuple):
    """Counters are from the user's side as RFC 2866 has it: input is what the user sent (upload), output what the user
    received. Texts are "" and the rest None when the client did not say; counters are 0 then."""

    status: int | None  # see dictionary.STATUS_TYPES
    session_id: str
    user_name: str
    nas_ip: IPv4Address | None
    nas_ipv6: IPv6Address | None
    nas_identifier: str
    nas_port: int | None
    nas_port_id: str
    calling_station_id: str
    called_station_id: str
    framed_ipv4: IPv4Address | None
    framed_ipv6_prefix: IPv6Network | None
    delegated_prefix: IPv6Network | None
    framed_ipv6: IPv6Address | None
    classes: tuple[bytes, ...]
    input_octets: int
    output_octets: int
    gigawords: bool  # False: the counters wrap at 4 GiB
    input_packets: int
    output_packets: int
    session_time_s: int
    delay_s: int
    event_timestamp: datetime | None
    terminate_cause: int | None  # see dictionary.TERMINATE_CAUSES


def said(packet: Packet) -> Said:
    return Said(
        status=packet.integer(keys.ACCT_STATUS_TYPE),
        session_id=packet.text(keys.ACCT_SESSION_ID),
        user_name=packet.text(keys.USER_NAME),
        nas_ip=packet.ip(keys.NAS_IP_ADDRESS),
        nas_ipv6=packet.ipv6(keys.NAS_IPV6_ADDRESS),
        nas_identifier=packet.text(keys.NAS_IDENTIFIER),
        nas_port=packet.integer(keys.NAS_PORT),
        nas_port_id=packet.text(keys.NAS_PORT_ID),
        calling_station_id=packet.text(keys.CALLING_STATION_ID),
        called_station_id=packet.text(keys.CALLED_STATION_ID),
        framed_ipv4=packet.ip(keys.FRAMED_IP_ADDRESS),
        framed_ipv6_prefix=packet.prefix(keys.FRAMED_IPV6_PREFIX),
        delegated_prefix=packet.prefix(keys.DELEGATED_IPV6_PREFIX),
        framed_ipv6=packet.ipv6(keys.FRAMED_IPV6_ADDRESS),
        classes=tuple(packet.get_all(keys.CLASS)),
        input_octets=_octets(packet, keys.ACCT_INPUT_OCTETS, keys.ACCT_INPUT_GIGAWORDS),
        output_octets=_octets(packet, keys.ACCT_OUTPUT_OCTETS, keys.ACCT_OUTPUT_GIGAWORDS),
        gigawords=keys.ACCT_INPUT_GIGAWORDS in packet.first or keys.ACCT_OUTPUT_GIGAWORDS in packet.first,
        input_packets=packet.integer(keys.ACCT_INPUT_PACKETS) or 0,
        output_packets=packet.integer(keys.ACCT_OUTPUT_PACKETS) or 0,
        session_time_s=packet.integer(keys.ACCT_SESSION_TIME) or 0,
        delay_s=packet.integer(keys.ACCT_DELAY_TIME) or 0,
        event_timestamp=packet.moment(keys.EVENT_TIMESTAMP),
        terminate_cause=packet.integer(keys.ACCT_TERMINATE_CAUSE),
    )


def _octets(packet: Packet, low: int, wraps: int) -> int:
    """RFC 2869 section 5.1: gigawords count how often the 32-bit counter went round."""
    return ((packet.integer(wraps) or 0) << 32) + (packet.integer(low) or 0)
