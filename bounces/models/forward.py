"""Mails that a person shall read, on their way to the investigation address."""

from django.db import models

from bounces.models.mail import BounceMail


class ForwardState(models.TextChoices):
    """How far it is."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"


class Forward(models.Model):
    """A mail is forwarded once at most: its row is what remembers."""

    mail = models.OneToOneField(BounceMail, on_delete=models.CASCADE, related_name="forward")
    to = models.CharField(max_length=320)
    why = models.CharField(max_length=200)
    delivery_id = models.BigIntegerField("delivery", null=True, blank=True)
    state = models.CharField(max_length=7, choices=ForwardState.choices, default=ForwardState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    sentence = models.TextField("what the server said", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="waiting"), name="forward_due"),
            # The rate limit of an address.
            models.Index(fields=["to", "sent_at"], name="forward_by_address"),
        ]

    def __str__(self) -> str:
        return f"To {self.to}"
