"""Personalization blocks."""

from django.core.validators import RegexValidator
from django.db import models


class PersonalizationBlock(models.Model):
    """A named piece of content that authors include with ``{% include 'name' %}``."""

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[a-z][a-z0-9_]*\Z", "Use small letters, digits and underscores only.")],
    )
    label = models.CharField(max_length=200)
    html = models.TextField("HTML", blank=True)
    text = models.TextField(blank=True, help_text="For the text content and for headers.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label
