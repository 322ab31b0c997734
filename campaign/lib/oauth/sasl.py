"""An access token in the words of SASL: what SMTP, IMAP and POP3 servers are told, before base64."""

from enum import StrEnum


class Bearer(StrEnum):
    """The mechanisms that take an access token; the value is the mechanism's name."""

    XOAUTH2 = "XOAUTH2"
    """Google's and Microsoft's."""
    OAUTHBEARER = "OAUTHBEARER"
    """RFC 7628."""

    def first_words(self, user: str, token: str, host: str, port: int) -> str:
        """The initial response, to the server at `host` and `port`."""
        if self is Bearer.XOAUTH2:
            return f"user={user}\x01auth=Bearer {token}\x01\x01"
        # The two signs that would end the name (RFC 5801, section 4).
        name = user.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"

    @property
    def last_words(self) -> str:
        """The answer to a challenge, which is the server telling an error: after it the server ends the exchange
        (RFC 7628, section 3.2.3)."""
        return "" if self is Bearer.XOAUTH2 else "\x01"
