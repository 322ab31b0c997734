"""The text of DNS records: what we ask people to publish, and what we read."""

from deliveries.models import DkimKey

MAX_STRING_OCTETS = 255
"""RFC 1035, section 3.3: a TXT record is a sequence of strings, none of them longer."""


def dkim_record(key: DkimKey) -> str:
    """The text to publish at the key's name (RFC 6376, section 3.6.1)."""
    return f"v=DKIM1; k={key.algorithm}; p={key.public_key}"


def strings(text: str) -> str:
    """An ASCII text as the quoted strings of a TXT record, the way a zone file has them."""
    pieces = [text[start : start + MAX_STRING_OCTETS] for start in range(0, len(text), MAX_STRING_OCTETS)]
    return " ".join(f'"{piece}"' for piece in pieces)


def zone_line(key: DkimKey) -> str:
    """The key's record as a line of a zone file."""
    return f"{key}. IN TXT {strings(dkim_record(key))}"


def tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record; names in small letters, values without the blanks around them.

    Of a tag that stands twice the first counts; what is no tag is left out.
    """
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found
