"""Conditions on people that have a name."""

from django.conf import settings
from django.db import models


class SavedQuery(models.Model):
    """Conditions on recipients under a name; ``definition`` is what :mod:`recipients.queries.definition` reads."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    definition = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "saved query"
        verbose_name_plural = "saved queries"

    def __str__(self) -> str:
        return self.name
