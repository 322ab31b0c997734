"""Limits of recipient domains."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from recipients.addresses import AddressError, shown_domain


class DomainLimit(models.Model):
    """How many messages a second a recipient domain gets, from all workers together."""

    domain = models.CharField(max_length=255, help_text="Behind the @ of the recipients, for example example.com.")
    messages_per_second = models.FloatField(
        validators=[MinValueValidator(0.001, "Write at least 0.001."), MaxValueValidator(100_000)],
        help_text="Over all workers on all hosts, for example 20 or 0.5.",
    )
    note = models.CharField(max_length=200, blank=True, help_text="Why, and who asked for it.")

    class Meta:
        ordering = ["domain"]
        constraints = [models.UniqueConstraint(Lower("domain"), name="domain_limit_once")]

    def __str__(self) -> str:
        return f"{self.domain}: {self.messages_per_second:g} per second"

    def clean(self) -> None:
        """Kept as addresses are kept with it: a limit that finds no recipient would hold nothing back."""
        super().clean()
        try:
            self.domain = shown_domain(self.domain.strip().lstrip("@"))
        except AddressError as error:
            raise ValidationError({"domain": str(error)}) from error
