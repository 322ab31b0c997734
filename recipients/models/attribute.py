"""Custom attributes: what is known of people besides the built-in fields."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from recipients.models.recipient import BUILT_IN_FIELDS


class AttributeKind(models.TextChoices):
    """Type of a custom attribute's values."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    BOOLEAN = "boolean", "Yes or no"


class AttributeDefinition(models.Model):
    """A custom attribute that recipients may have; authors write it as ``recipient.<name>``."""

    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(r"\A[a-z][a-z0-9_]*\Z", "Use small letters, digits and underscores only.")],
    )
    label = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=8, choices=AttributeKind.choices, default=AttributeKind.TEXT)

    class Meta:
        ordering = ["name"]
        verbose_name = "custom attribute"

    def __str__(self) -> str:
        return self.label or self.name

    def clean(self) -> None:
        """Names of built-in fields are taken."""
        if self.name in BUILT_IN_FIELDS:
            raise ValidationError({"name": f"“{self.name}” is a built-in field. Choose another name."})
