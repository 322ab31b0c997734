"""Parts: what a worker takes at a time."""

from django.db import models

from deliveries.states import PartState


class Part(models.Model):
    """A range of message ids of one delivery, held by at most one worker until its lease ends.

    ``dated_at`` is set by the first claim and never changes: it is the Date of the part's messages, so that rendering
    them again gives the same bytes.
    """

    delivery = models.ForeignKey("deliveries.Delivery", on_delete=models.CASCADE, related_name="parts")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    size = models.PositiveIntegerField()
    wave = models.PositiveSmallIntegerField(default=1)
    state = models.SmallIntegerField(
        choices=[(state.value, state.label) for state in PartState], default=PartState.READY
    )
    holder = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    dated_at = models.DateTimeField(null=True)
    sent = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    in_doubt = models.PositiveIntegerField(default=0)
    recalled = models.BooleanField(
        default=False, db_default=False, help_text="Somebody in it unsubscribed: whoever holds it reads it again."
    )
    losses = models.PositiveSmallIntegerField(default=0, help_text="Connections lost in a row without one outcome.")

    class Meta:
        indexes = [
            # claim_part: what is left of a delivery, oldest first; done parts are not in it.
            models.Index(fields=["delivery", "id"], condition=models.Q(state__lt=PartState.DONE), name="part_open"),
            # A message's part (its Date) is the one with the greatest first_id not above its id.
            models.Index(fields=["first_id"], name="part_by_first"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent__gte=0, failed__gte=0, in_doubt__gte=0)
                & models.Q(size__gte=models.F("sent") + models.F("failed") + models.F("in_doubt")),
                name="part_counts_fit",
            )
        ]

    def __str__(self) -> str:
        return f"Part {self.pk} of delivery {self.delivery_id}"

    @property
    def without_outcome(self) -> int:
        """Messages that are pending or cancelled, by its counters."""
        return self.size - self.sent - self.failed - self.in_doubt
