"""The history of what people agreed to."""

from django.db import models

from recipients.models.recipient import Consent, Recipient
from recipients.models.service import Service


class ConsentSubject(models.TextChoices):
    """What a consent is about."""

    ALL = "all", "All mails"
    SERVICE = "service", "A service"
    GENERAL = "general", "Consent in general"


class ConsentEvent(models.Model):
    """One line of a person's consent history: given or withdrawn, for what, when, where. Written once (a trigger
    refuses changes); it goes only with the person."""

    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="consent_events", db_index=False)
    at = models.DateTimeField()
    subject = models.CharField(max_length=7, choices=ConsentSubject)
    service = models.ForeignKey(
        Service, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    service_name = models.CharField(
        "service", max_length=200, blank=True, help_text="As it was called then; it outlives the service."
    )
    state = models.CharField(max_length=9, choices=Consent)
    source = models.CharField(max_length=200, help_text="Where the wish was expressed.")
    by = models.CharField(max_length=150, blank=True, help_text="Who wrote it down; empty: the person, or the system.")
    message_id = models.BigIntegerField(null=True, help_text="The message whose link or header was used.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "line of the consent history"
        verbose_name_plural = "consent history"
        indexes = [
            models.Index(fields=["recipient", "-id"], name="consent_of_recipient"),
            # Figures ask who withdrew by a delivery's messages, which are one range.
            models.Index(
                fields=["message_id"], condition=models.Q(message_id__isnull=False), name="consent_by_message"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_name or self.get_subject_display()}: {self.get_state_display().lower()}"
