"""Reading a mail that came back. PURE: bytes in, values out; any bytes give a result, in bounded time and memory."""

from bounces.parsing.report import Action, Clues, Finding, Kind, Report
from bounces.parsing.run import MAX_OCTETS, parse

__all__ = ["MAX_OCTETS", "Action", "Clues", "Finding", "Kind", "Report", "parse"]
