"""Mails and events that came back: kept for a set time, so that a person can look, and nothing counts twice."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bounces.parsing import Kind


class MailState(models.TextChoices):
    """What became of a mail."""

    PROCESSED = "processed", "Processed"
    NOT_OURS = "not_ours", "Not about a message of ours"
    SET_ASIDE = "set_aside", "Set aside: it could not be read"


class BounceMail(models.Model):
    """One mail, or one event of a provider, that came in; the digest is what makes taking it again harmless."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    source = models.CharField(max_length=100)
    envelope_to = models.CharField("came to", max_length=320, blank=True)
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=8, blank=True, choices=[(kind.value, kind.value.capitalize()) for kind in Kind])
    state = models.CharField(max_length=9, choices=MailState.choices, default=MailState.PROCESSED)
    sentence = models.TextField("what was done", blank=True, help_text="Or why it could not be read.")
    message_ids = ArrayField(models.BigIntegerField(), default=list, help_text="The messages it is about.")
    findings = models.JSONField(default=list, help_text="Each recipient with type, reason, rule and text.")
    raw = models.BinaryField(help_text="The mail, up to a limit; empty for what is not ours and for what was purged.")
    octets = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        verbose_name = "mail that came back"
        verbose_name_plural = "mails that came back"
        indexes = [
            # Purging by age.
            models.Index(fields=["received_at"], name="bounce_mail_received"),
            # The few that wait for a person.
            models.Index(fields=["id"], condition=models.Q(state="set_aside"), name="bounce_mail_set_aside"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display() or 'Mail'} {self.pk} from {self.source}"

    @property
    def delivery_ids(self) -> list[int]:
        """The deliveries of these messages."""
        return sorted({message_id >> 32 for message_id in self.message_ids})
