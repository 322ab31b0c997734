"""Who wants the weekly digest."""

from django.conf import settings
from django.db import models


class WeeklyDigest(models.Model):
    """A person's wish for a mail on Mondays about the deliveries that ended in the week before."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sent_for = models.DateField(null=True, help_text="The Monday whose digest was sent last, or was not wanted yet.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="That failed for the present Monday.")
    sentence = models.TextField(blank=True, help_text="Why the last one could not be sent.")

    def __str__(self) -> str:
        return f"Weekly digest for {self.user}"
