"""Which addresses are public."""

import pytest

from deliveries.outside.addresses import NoAddress, is_public, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "", "localhost", "2130706433", "0x7f000001", "1.2.3", "1.2.3.4.5",
    ],
)  # fmt: skip
def test_what_is_not_in_the_public_network_is_refused(address: str):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]".strip("[]")])
def test_every_way_to_write_this_machine_resolves_to_an_address_that_is_refused(host: str):
    assert not any(map(is_public, resolve(host, 80)))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300, "a..b", "é" * 100 + ".example"])
def test_a_host_that_is_none_is_said_to_be_none(host: str):
    with pytest.raises(NoAddress):
        resolve(host, 80)
