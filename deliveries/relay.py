"""How a relay is spoken to: what people choose in the form of a route, and what a connection goes by."""

from django.db import models


class Protocol(models.TextChoices):
    """What the relay speaks. LMTP answers for each recipient."""

    SMTP = "smtp", "SMTP"
    LMTP = "lmtp", "LMTP (RFC 2033)"


class Mechanism(models.TextChoices):
    """How a route logs in (RFC 4954). AUTOMATIC tries CRAM-MD5, PLAIN and LOGIN, what the relay offers, in that order.

    XOAUTH2 and OAUTHBEARER (RFC 7628) take an access token of OAuth 2.
    """

    AUTOMATIC = "auto", "The best that the relay offers (CRAM-MD5, PLAIN, LOGIN)"
    PLAIN = "PLAIN", "PLAIN"
    LOGIN = "LOGIN", "LOGIN"
    CRAM_MD5 = "CRAM-MD5", "CRAM-MD5"
    XOAUTH2 = "XOAUTH2", "XOAUTH2 (OAuth 2)"
    OAUTHBEARER = "OAUTHBEARER", "OAUTHBEARER (OAuth 2)"
