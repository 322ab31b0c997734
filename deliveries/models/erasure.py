"""Erasures: asked for, carried out by a worker, and kept as evidence without the address."""

from django.conf import settings
from django.db import models


class Erasure(models.Model):
    """The erasure of one person's data. The address stands here until it is done."""

    address = models.CharField(max_length=320, blank=True, help_text="Empty once it is done.")
    pseudonym = models.CharField(max_length=60, help_text="What stands where the address stood.")
    recipient_id = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    erased = models.JSONField(default=dict, help_text="How much of what.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pseudonym"], condition=models.Q(done_at=None), name="erasure_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Erasure of {self.pseudonym}"
