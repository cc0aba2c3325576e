import pytest

from shared.limits import WEBHOOK_URL_CHARACTERS
from shared.webhooks.refusals import UrlNotAllowed
from shared.webhooks.rules.urls import Reach, Target, read_url


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://erp.example.com", Target(secure=True, host="erp.example.com", port=443, target="/"), ""),
        ("https://erp.example.com:8443/a/b?c=d&e", Target(True, "erp.example.com", 8443, "/a/b?c=d&e"), ":8443"),  # noqa: FBT003
        ("HTTPS://ERP.Example.COM/Hooks?X", Target(True, "erp.example.com", 443, "/Hooks?X"), ""),  # noqa: FBT003
        ("https://erp.example.com:443?c", Target(True, "erp.example.com", 443, "/?c"), ""),  # noqa: FBT003
        ("https://xn--bcher-kva.example.com/", Target(True, "xn--bcher-kva.example.com", 443, "/"), ""),  # noqa: FBT003
        ("https://8.8.8.8/h", Target(True, "8.8.8.8", 443, "/h"), ""),  # noqa: FBT003
    ],
)
def test_a_url_is_read_in_its_parts(url: str, target: Target, authority: str) -> None:
    """Host in lower case, path and query as they are; the Host header has the port where it is not the usual one."""
    assert read_url(url, Reach.INTERNET) == target
    assert target.authority == f"{target.host}{authority}"


def test_an_ipv6_address_is_written_in_brackets() -> None:
    """In the URL and in the Host header; the connection is made without."""
    target = read_url("https://[2606:4700:4700::1111]:8443/", Reach.INTERNET)
    assert (target.host, target.authority) == ("2606:4700:4700::1111", "[2606:4700:4700::1111]:8443")


BAD = (
    *("", "erp.example.com", "//erp.example.com", "ftp://erp.example.com", "http://erp.example.com/"),
    *("https://user@erp.example.com/", "https://user:pass@erp.example.com/", "https://erp.example.com#part"),
    *("https://erp.example.com:80/", "https://erp.example.com:22/", "https://erp.example.com:0443a/"),
    *("https://erp.example.com:99999/", "https://erp.example.com:-1/", "https:///path", "https://:443/"),
    *("https://localhost/", "https://metadata/", "https://metadata.google.internal/", "https://a.localhost/"),
    *("https://printer.local/", "https://erp.example.com./", "https://-erp.example.com/", "https://a..b.com/"),
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/"),
    *("https://0177.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://1.2.3.4.5/"),
    *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/"),
    *("https://[fe80::1%25eth0]/", "https://[2606:4700::1]evil/", "https://[]/", "https://2606:4700::1/"),
    *("https://erp.example.com\\@10.0.0.1/", "https://erp.example.com\t/", "https://erp.example.com/\r\nHost: x"),
    *(" https://erp.example.com/", "https://erp.example.com/ ", "https://erp.example.com/a b", "https://bücher.de/"),
    *("https://erp.example.com/ü", "https://erp.example.com/\x00", "https://erp%2eexample.com/", "https://a_b.com/"),
    *("https://erp。example。com/", "https://ⓔxample.com/", "https://erp.example.com/<>", 'https://erp.example.com/"'),
    "https://erp.example.com/" + "a" * WEBHOOK_URL_CHARACTERS,
    f"https://{'a' * 64}.com/",
    f"https://{'.'.join(['a' * 60] * 5)}.com/",
)


@pytest.mark.parametrize("url", BAD)
def test_every_other_url_is_refused(url: str) -> None:
    """Other schemes and ports, users, fragments, names that are not public, addresses in every spelling, smuggling."""
    with pytest.raises(UrlNotAllowed):
        read_url(url, Reach.INTERNET)


def test_a_laptop_reaches_itself_over_http_too() -> None:
    """Any port of 127.0.0.1 and nothing else that the internet does not reach."""
    assert read_url("http://127.0.0.1:5000/h", Reach.LOOPBACK_TOO) == Target(False, "127.0.0.1", 5000, "/h")  # noqa: FBT003
    assert read_url("https://erp.example.com/", Reach.LOOPBACK_TOO).secure
    for url in ("http://127.0.0.2:80/", "http://localhost:80/", "http://erp.example.com/", "https://127.0.0.1/"):
        with pytest.raises(UrlNotAllowed):
            read_url(url, Reach.LOOPBACK_TOO)
    with pytest.raises(UrlNotAllowed):
        read_url("http://127.0.0.1:5000/h", Reach.INTERNET)
