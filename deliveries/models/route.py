"""Routes: how mail leaves."""

from collections.abc import Iterator
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from campaign.lib.connecting import Security, check_host, in_plain_text
from campaign.lib.oauth.login import OAuthLogin
from campaign.lib.oauth.tokens import KeptToken
from deliveries.relay import Mechanism, Protocol
from recipients.addresses import AddressError, ascii_domain

SMTP_PORT: Final = 25
MAX_CONNECTIONS: Final = 10_000

_SECONDS = [MinValueValidator(1), MaxValueValidator(3600)]


class Route(OAuthLogin):
    """An SMTP relay with its credentials, TLS and limits, and the route that stands in for it."""

    called = "route"

    name = models.CharField(max_length=100, unique=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="A route that is not active is left out: its fallback is used instead."
    )
    is_default = models.BooleanField(
        "default route",
        default=False,
        help_text="Used where neither the delivery nor its sender's domain names another.",
    )
    fallback = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stands_in_for",
        help_text="The route that is used while no connection to this one can be opened.",
    )

    host = models.CharField(max_length=255, help_text="Name or address of the relay.")
    port = models.PositiveIntegerField(default=SMTP_PORT, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    protocol = models.CharField(
        max_length=4, choices=Protocol, default=Protocol.SMTP, help_text="LMTP is for a mailbox server nearby."
    )
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.NONE)
    check_certificate = models.BooleanField(
        "check the certificate",
        default=True,
        help_text="Without it anybody on the way can read mail and credentials. Better name an authority file.",
    )
    authority_file = models.CharField(
        max_length=255,
        blank=True,
        help_text="For a relay whose certificate no public authority signed: path of a PEM file with its authority, "
        "the same on every host that sends. Empty means the system's authorities.",
    )
    ehlo_name = models.CharField(
        "EHLO name", max_length=255, blank=True, help_text="Name given to the relay. Empty means this host's name."
    )
    source_address = models.GenericIPAddressField(
        null=True,
        blank=True,
        help_text="IP address of the sending host to connect from; every host that sends needs it. Empty means the "
        "system's choice.",
    )

    username = models.CharField("user name", max_length=255, blank=True, help_text="Empty means no login.")
    auth_mechanism = models.CharField(
        "way of logging in",
        max_length=11,
        choices=Mechanism,
        default=Mechanism.AUTOMATIC,
    )

    connection_limit = models.PositiveIntegerField(
        default=20,
        validators=[MaxValueValidator(MAX_CONNECTIONS)],
        help_text="Connections open at a time, over all workers on all hosts. 0 = no limit.",
    )
    messages_per_connection = models.PositiveIntegerField(
        default=0, help_text="After so many messages a connection is closed and a new one opened. 0 = no limit."
    )
    messages_per_second = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(100_000.0)],
        help_text="Over all workers on all hosts, for example 50 or 0.5. 0 = no limit.",
    )

    connect_seconds = models.PositiveSmallIntegerField(
        "wait for a connection",
        default=30,
        validators=_SECONDS,
        help_text="Seconds until the connection is open, encrypted and logged in.",
    )
    command_seconds = models.PositiveSmallIntegerField(
        "wait after MAIL and RCPT",
        default=300,
        validators=_SECONDS,
        help_text="Seconds for the answer. RFC 5321 asks for 300.",
    )
    data_seconds = models.PositiveSmallIntegerField(
        "wait after DATA",
        default=120,
        validators=_SECONDS,
        help_text="Seconds for the answer. RFC 5321 asks for 120.",
    )
    content_seconds = models.PositiveSmallIntegerField(
        "wait while handing over",
        default=180,
        validators=_SECONDS,
        help_text="Seconds in which the relay takes nothing of a message. RFC 5321 asks for 180.",
    )
    end_of_data_seconds = models.PositiveSmallIntegerField(
        "wait after a message",
        default=600,
        validators=_SECONDS,
        help_text="Seconds for the answer to a whole message; less means more in doubt. RFC 5321 asks for 600.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="route_one_default"
            ),
            models.CheckConstraint(
                condition=~models.Q(fallback=models.F("id")), name="route_does_not_stand_in_for_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What a single field cannot see."""
        super().clean()
        check_host(self.host)
        if self.protocol == Protocol.LMTP and self.port == SMTP_PORT:
            raise ValidationError({"port": "LMTP must not use port 25 (RFC 2033, section 5). Often it is 24 or 2003."})
        if self.pk and any(route.pk == self.pk for route in self.fallbacks()):
            raise ValidationError({"fallback": f"“{self.fallback}” falls back to this route. Choose another."})
        if problems := self.token_problems():
            raise ValidationError(dict(problems))

    def fallbacks(self) -> Iterator["Route"]:
        """The route that stands in for this one, the one that stands in for that, and so on; each once."""
        seen: set[int] = set()
        route = self.fallback
        while route is not None and route.pk not in seen:
            seen.add(route.pk)
            yield route
            route = route.fallback

    @property
    def takes_token(self) -> bool:
        """Whether the way of logging in needs an access token."""
        return self.auth_mechanism in {Mechanism.XOAUTH2, Mechanism.OAUTHBEARER}

    @property
    def sends_in_plain_text(self) -> bool:
        """Whether others on the way can read what is sent."""
        return in_plain_text(self.host, self.security)


class RouteToken(KeptToken):
    """The access token by which a route logs in."""

    route = models.OneToOneField(Route, on_delete=models.CASCADE, primary_key=True, related_name="kept_token")

    def __str__(self) -> str:
        return f"Access token of {self.route_id}"


class SenderDomainRoute(models.Model):
    """Deliveries whose sender address is at ``domain`` leave by ``route`` unless they name one themselves."""

    domain = models.CharField(
        "sender's domain", max_length=253, unique=True, help_text="What follows the @ sign, for example example.com."
    )
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="sender_domains")

    class Meta:
        ordering = ["domain"]
        verbose_name = "sender's domain"
        verbose_name_plural = "senders' domains"

    def __str__(self) -> str:
        return self.domain

    def clean(self) -> None:
        """Kept in ASCII and small letters, so that it is found however somebody writes it."""
        super().clean()
        try:
            self.domain = ascii_domain(self.domain.strip())
        except AddressError as error:
            raise ValidationError({"domain": str(error)}) from error
