"""Seed addresses: they receive the real send, and no figure counts them."""

from django.core.exceptions import ValidationError
from django.db import models

from recipients.addresses import AddressError, normalise
from recipients.models import MailFormat


class SeedGroup(models.Model):
    """Seed addresses that a delivery takes together."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SeedAddress(models.Model):
    """An address outside the target. Its fields are named as a recipient's; empty ones are filled from a random
    member of the target, anew for each analysis."""

    address = models.CharField("e-mail address", max_length=320)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=16, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    mail_format = models.CharField(max_length=4, blank=True, choices=MailFormat, default=MailFormat.BOTH)
    attributes = models.JSONField("custom attributes", default=dict, blank=True)
    groups = models.ManyToManyField(SeedGroup, blank=True, related_name="addresses")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "seed addresses"

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        """Normalise the address; its sentence goes beside the field."""
        try:
            self.address = normalise(self.address)
        except AddressError as error:
            raise ValidationError({"address": str(error)}) from error
