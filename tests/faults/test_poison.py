"""A message that kills its keeper three times is an opaque blob from then on: with a real server, and the page it shares.

The test plays the fault: it writes on the page what a keeper notes before it looks into a message, and kills the keeper.
An APPEND is noted by its account and size (keeper/poisoned.h)."""
import os
import pathlib
import signal
import struct

import pytest

from lib.mail import imap, message
from lib.server import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="looks into another process's descriptors")


def page_of(server, keeper):
    """The shared page, by way of the supervisor's descriptor."""
    for fd in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        if os.readlink(fd).startswith(f"/memfd:{keeper}"):
            return fd
    raise AssertionError(f"the supervisor has no page of {keeper}")


def ready(server, keeper):
    return [l["pid"] for l in server.log_lines() if l["event"] == "process.ready" and l["name"] == keeper]


def die_on(server, keeper, account, number, operation):
    """The keeper noted this message, and died."""
    before = ready(server, keeper)
    with open(page_of(server, keeper), "r+b", buffering=0) as page:
        page.write(struct.pack("=II16sQ32s", 1, 0, account, number, operation))  # struct poison_page
    os.kill(before[-1], signal.SIGKILL)
    wait_until(lambda: len(ready(server, keeper)) > len(before), 60, f"{keeper} is back")


def append(server, account, data):
    """BODYSTRUCTURE and the octets of the message as the server shows them."""
    client = imap(server, account)
    assert client.append("INBOX", None, None, data)[0] == "OK"
    client.select("INBOX")
    number = client.search(None, "ALL")[1][0].split()[-1].decode()
    shape = client.fetch(number, "(ENVELOPE BODYSTRUCTURE)")[1][0]
    octets = client.fetch(number, "(BODY.PEEK[])")[1][0][1]
    client.logout()
    return shape, octets


def test_three_deaths_make_a_blob(server, alice):
    shown = server.json("account", "show", alice.address)["account"]
    keepers = len({l["name"] for l in server.log_lines() if l["event"] == "process.ready" and l["name"].startswith("keeper")})
    keeper = f"keeper-{((shown['slot'] + 1) * keepers - 1) // 256}"
    _, data = message("x@their.test", alice.address, "deadly")
    server.expect("alert.poison", "message.opaque")
    number = len(data) | 1 << 63
    for death in range(3):
        shape, _ = append(server, alice, data)
        assert b"deadly" in shape and b"octet-stream" not in shape, death
        die_on(server, keeper, bytes.fromhex(shown["account"]), number, b"append")
    told = [l for l in server.log_lines() if l["event"] == "message.opaque"]
    assert len(told) == 1 and told[0]["account"] == shown["account"] and told[0]["level"] == "error", told
    shape, octets = append(server, alice, data)
    assert b"octet-stream" in shape and b"deadly" not in shape, shape
    assert octets == data
    _, other = message("x@their.test", alice.address, "harmless and of another size")
    shape, _ = append(server, alice, other)
    assert b"harmless" in shape and b"octet-stream" not in shape
