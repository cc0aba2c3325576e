import socket
from contextlib import closing
from pathlib import Path

from emulators.addresses import LOOPBACK, Leases


def test_no_port_is_leased_twice(tmp_path: Path) -> None:
    """Two homes, even one home asked twice, never share a port."""
    with closing(Leases(tmp_path)) as one, closing(Leases(tmp_path)) as other:
        ports = [one.lease(), other.lease(), one.lease(), other.lease()]
    assert len(set(ports)) == 4


def test_a_port_given_back_can_be_had_again(tmp_path: Path) -> None:
    """A lease ends with its holder."""
    with closing(Leases(tmp_path)) as leases:
        port = leases.lease()
    with closing(Leases(tmp_path)) as leases:
        assert leases.lease() == port


def test_a_port_in_use_is_passed_over(tmp_path: Path) -> None:
    """A stranger's port is not ours to lease."""
    with closing(Leases(tmp_path)) as leases:
        port = leases.lease()
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, port))
        stranger.listen()
        with closing(Leases(tmp_path)) as leases:
            assert leases.lease() != port
