"""Reply codes (RFC 5321) and enhanced status codes (RFC 3463) in a text. PURE."""

import re

_ENHANCED = re.compile(r"(?<![\d.\[/v=-])([245])\.(\d{1,2})\.(\d{1,3})(?![\d.]|/\d|-\d)")
_REPLY = re.compile(
    r"(?:^|said:|returned:|error|code:?|with|was:|[\s:;(\"'<#-])\s{0,3}\(?#?([45][0-5]\d)(?=[\s:;,#)-]|$|\.\s)",
    re.IGNORECASE,
)


def enhanced(text: str) -> str:
    """The first enhanced status code that says something (not x.0.0), else the first one, else an empty text."""
    first = ""
    for match in _ENHANCED.finditer(text[:4_000]):
        code = f"{match[1]}.{int(match[2])}.{int(match[3])}"
        if not code.endswith(".0.0"):
            return code
        first = first or code
    return first


def reply_code(text: str) -> str:
    """The first reply code of a failure, or an empty text."""
    match = _REPLY.search(text[:4_000])
    return match[1] if match else ""
