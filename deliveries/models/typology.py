"""Typologies: which checks an analysis runs, in what order, and how heavily each weighs."""

from django.core.validators import MaxValueValidator
from django.db import models


class CheckLevel(models.TextChoices):
    """What becomes of what a check finds."""

    OFF = "off", "Off"
    INFO = "info", "Information"
    WARNING = "warning", "Warning: to be acknowledged"
    ERROR = "error", "Error: nothing can be sent"


class Typology(models.Model):
    """A named set of checks. One of them is the default of deliveries that name none."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(
        "default typology", default=False, help_text="Used by deliveries that name none. There is one at most."
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "typologies"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="typology_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TypologyCheck(models.Model):
    """How one check is used by a typology. A check without such a row is used as it was made."""

    typology = models.ForeignKey(Typology, on_delete=models.CASCADE, related_name="checks")
    check_key = models.CharField(max_length=60, editable=False)
    order = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(9999)], help_text="Checks with smaller numbers run first."
    )
    level = models.CharField(max_length=7, choices=CheckLevel)

    class Meta:
        ordering = ["order", "check_key"]
        constraints = [models.UniqueConstraint(fields=["typology", "check_key"], name="typology_check_once")]

    def __str__(self) -> str:
        return self.check_key
