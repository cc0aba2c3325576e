"""Which addresses a webhook may reach: public ones only, so that nobody makes us speak to our own network.

From IANA's special-purpose address registries (RFC 6890; the IPv6 one as of 2024-10-22): whatever is not globally
reachable unicast is refused, and so is every IPv6 form that carries an IPv4 address (mapped, NAT64, 6to4, Teredo),
whichever it carries.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, with the platform's metadata server
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays, deprecated
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_UNICAST_V6: Final = IPv6Network("2000::/3")
"""The only block that IANA gives out as global unicast: mapped, NAT64, unique and link-local addresses lie outside."""
_NOT_PUBLIC_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(text: str) -> bool:
    """Whether an address, as a resolver writes it, is one that a webhook may reach; what is no address is not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return _is_public_v4(address) if isinstance(address, IPv4Address) else _is_public_v6(address)


def all_public(addresses: Iterable[str]) -> bool:
    """Whether there is an address, and every one of them is public."""
    found = list(addresses)
    return bool(found) and all(map(is_public, found))


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in _UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
