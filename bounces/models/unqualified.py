"""Texts that no rule knows, each once however often it came, and the failures that said it."""

from django.db import models


class TextState(models.TextChoices):
    """What people decided about a text."""

    TO_QUALIFY = "to_qualify", "To qualify"
    LEFT = "left", "Left as it is"


class UnqualifiedText(models.Model):
    """The words of servers without what differs from one message to the next; gone once a rule decides on it."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    text = models.TextField(help_text="With #id#, #ip# and * for identifiers, servers and addresses.")
    sample = models.TextField("as it first came")
    decided_by = models.CharField(
        max_length=100, blank=True, help_text="The code that decided for want of a rule; empty where nothing did."
    )
    type = models.CharField("counted as", max_length=7)
    count = models.PositiveIntegerField("times", default=0)
    first_at = models.DateTimeField("first seen")
    last_at = models.DateTimeField("last seen")
    state = models.CharField(max_length=10, choices=TextState.choices, default=TextState.TO_QUALIFY)

    class Meta:
        ordering = ["-count", "-id"]
        verbose_name = "text to qualify"
        verbose_name_plural = "to qualify"
        indexes = [models.Index(fields=["state", "-count"], name="unqualified_by_count")]

    def __str__(self) -> str:
        return self.text[:80]


class UnqualifiedFailure(models.Model):
    """A message that failed with such a text."""

    text = models.ForeignKey(UnqualifiedText, on_delete=models.CASCADE, related_name="failures", db_index=False)
    message_id = models.BigIntegerField()
    at = models.DateTimeField()
    is_returned = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "message_id"], name="unqualified_failure_once")]
        indexes = [models.Index(fields=["at"], name="unqualified_failure_at")]

    def __str__(self) -> str:
        return f"Message {self.message_id}"
