"""Routes: how mail leaves."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from campaign.lib.sealing import seal, unseal


class Security(models.TextChoices):
    """How the connection to the relay is protected."""

    NONE = "none", "None"
    STARTTLS = "starttls", "STARTTLS"
    TLS = "tls", "TLS from the start"


class Route(models.Model):
    """An SMTP relay with its credentials and TLS."""

    name = models.CharField(max_length=100, unique=True)
    host = models.CharField(max_length=255, help_text="Name or address of the SMTP relay.")
    port = models.PositiveIntegerField(default=25, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.NONE)
    username = models.CharField(max_length=255, blank=True)
    sealed_password = models.TextField(blank=True, editable=False)
    ehlo_name = models.CharField(
        "EHLO name", max_length=255, blank=True, help_text="Name given to the relay. Empty means this host's name."
    )
    is_default = models.BooleanField("default route", default=False, help_text="Used where no route is chosen.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="route_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def password(self) -> str:
        """The password in clear, for the connection only. Raises :class:`campaign.lib.sealing.SealBroken`."""
        return unseal(self.sealed_password)

    @password.setter
    def password(self, secret: str) -> None:
        self.sealed_password = seal(secret)
