"""An SMTP server that keeps every message it gets, for the demo, the tests and the benchmarks.

    python -m campaign.demo.sink --port 2525 --folder var/mails

Each message becomes one file `<folder>/<thousands>/<number>.eml`: a Return-Path and a Delivered-To line per recipient
(RFC 5321 section 4.4), then the octets as received. Any mail program opens it, any MIME parser reads it. It listens
on the loopback by default, knows neither TLS nor AUTH, and delivers nothing anywhere. An own server rather than
aiosmtpd because it must keep up with several workers (thousands of messages per second on a shared core).
"""

from campaign.demo.sink.mailbox import Mailbox, Received
from campaign.demo.sink.protocol import MAX_COMMAND_OCTETS, Sink, SinkProtocol
from campaign.demo.sink.script import EXTENSIONS, Fault, Script

__all__ = [
    "EXTENSIONS",
    "MAX_COMMAND_OCTETS",
    "Fault",
    "Mailbox",
    "Received",
    "Script",
    "Sink",
    "SinkProtocol",
]
