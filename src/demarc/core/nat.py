"""Public addresses that customers share, each with a block of ports of his own by his place (deterministic NAT, RFC
7422): who had an address and port follows from the rule, without a record of every connection. Knows no router.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

PORTS = 65536


@dataclass(frozen=True, slots=True)
class Sharing:
    """The private addresses in order take the blocks of the first public address, from `first_port` on, `ports_each`
    ports each, then those of the next one. All addresses of both networks take part."""

    inside: IPv4Network
    outside: IPv4Network
    first_port: int
    ports_each: int

    @property
    def blocks(self) -> int:
        """How many customers share one public address; ports that are left over belong to nobody."""
        return (PORTS - self.first_port) // self.ports_each

    @property
    def fits(self) -> bool:
        """Whether there is a block for every private address."""
        return self.inside.num_addresses <= self.outside.num_addresses * self.blocks

    def inside_of(self, address: IPv4Address, port: int) -> IPv4Address | None:
        """Whose a public address and port are; None: nobody's."""
        if address not in self.outside or not self.first_port <= port < self.first_port + self.blocks * self.ports_each:
            return None
        before = (int(address) - int(self.outside.network_address)) * self.blocks
        place = before + (port - self.first_port) // self.ports_each
        return self.inside[place] if place < self.inside.num_addresses else None

    def outside_of(self, address: IPv4Address) -> tuple[IPv4Address, range]:
        """What a private address is seen as: the public address and its ports. ValueError: it is none of these."""
        if address not in self.inside:
            raise ValueError(f"{address} is not in {self.inside}")
        which, block = divmod(int(address) - int(self.inside.network_address), self.blocks)
        first = self.first_port + block * self.ports_each
        return self.outside[which], range(first, first + self.ports_each)
