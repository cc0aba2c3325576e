from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.rules.addresses import all_public, is_public

INNER_V4 = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",  # metadata
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - looked at, not listened on
        "10.1.2.3",
        "100.64.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.0.0.170",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fd20:ce::254",  # metadata over IPv6
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0%x",
        "fec0::1",
        "ff02::1",
    ],
)
def test_no_inner_address_is_public(address: str) -> None:
    """Private, loopback, link-local, shared, multicast, reserved, documentation, and IPv4 within IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are(address: str) -> None:
    """What receivers have."""
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "8.8.8.8:443", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    """A resolver writes addresses in one way."""
    assert not is_public(text)


@pytest.mark.parametrize("network", INNER_V4)
def test_an_inner_network_is_inner_from_its_first_to_its_last_address(network: str) -> None:
    """The ends are where tables go wrong."""
    block = ip_network(network)
    assert not is_public(str(block[0]))
    assert not is_public(str(block[-1]))


@given(st.ip_addresses(v=4))
def test_what_python_calls_inner_is_not_public(address: IPv4Address) -> None:
    """Another table, kept by others, never refuses what ours lets through."""
    inner = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
    assert not (is_public(str(address)) and (inner or address.is_link_local or address.is_unspecified))


@given(st.ip_addresses(v=6))
def test_what_python_calls_inner_is_not_public_over_ipv6(address: IPv6Address) -> None:
    """As above; and nothing that carries an IPv4 address is."""
    inner = address.is_private or address.is_multicast or address.is_reserved or address.is_site_local
    carries = address.ipv4_mapped or address.sixtofour or address.teredo
    assert not (is_public(str(address)) and (inner or carries or address.is_link_local))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_within_ipv6_is_never_public(address: IPv4Address) -> None:
    """Mapped, compatible, NAT64 and 6to4, whichever it is."""
    number = int(address)
    forms = (0xFFFF << 32, 0, 0x64FF9B << 96, 0x2002 << 112)
    inside = [IPv6Address(forms[0] | number), IPv6Address(number), IPv6Address(forms[2] | number)]
    assert not any(is_public(str(one)) for one in (*inside, IPv6Address(forms[3] | number << 80)))


def test_one_inner_address_among_public_ones_is_one_too_many() -> None:
    """Whoever controls a name could answer with both, and hope."""
    assert all_public(["8.8.8.8", "2606:4700:4700::1111"])
    assert not all_public(["8.8.8.8", "10.0.0.1"])
    assert not all_public([])
