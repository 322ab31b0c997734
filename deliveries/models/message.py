"""Messages: the delivery log.

The two tables here are the only ones that grow with every recipient of every delivery, so they are laid out for that:
the primary key carries the delivery (see :func:`message_range`), what changes is narrow, what never changes is apart.
"""

from django.db import models

from deliveries.models.content import Content
from deliveries.states import MessageState

NUMBER_BITS = 32


def message_range(delivery_id: int) -> tuple[int, int]:
    """First and last possible message id of a delivery, inclusive: its log is one range of the primary key."""
    return delivery_id << NUMBER_BITS, ((delivery_id + 1) << NUMBER_BITS) - 1


class MessageQuerySet(models.QuerySet["Message"]):
    """Selections of the delivery log."""

    def of_delivery(self, delivery_id: int) -> "MessageQuerySet":
        """All messages of a delivery, by primary key alone."""
        return self.filter(pk__range=message_range(delivery_id))


class Message(models.Model):
    """One delivery to one address, with its state.

    ``id`` is ``delivery id << 32 | number``. ``recipient_id`` has no database constraint: checking a million of them
    costs seconds, and a message outlives the profile it was written for.
    """

    id = models.BigIntegerField(primary_key=True)
    content = models.ForeignKey(
        Content, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    recipient = models.ForeignKey(
        "recipients.Recipient", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="messages"
    )
    seed = models.ForeignKey(
        "deliveries.SeedAddress",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        help_text="Set on what goes to a seed address, which no figure counts.",
    )
    address = models.CharField(max_length=320)
    state = models.SmallIntegerField(
        choices=[(state.value, state.label) for state in MessageState], default=MessageState.PENDING
    )
    attempts = models.SmallIntegerField(default=0)
    failure_type = models.CharField(max_length=7, null=True)
    reason = models.SmallIntegerField(null=True)
    reply = models.TextField(null=True)
    processed_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            # A handful a delivery: what figures take away.
            models.Index(fields=["id"], condition=models.Q(seed__isnull=False), name="message_to_seed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in MessageState]), name="message_state_known"
            )
        ]

    def __str__(self) -> str:
        return f"Message {self.number} of delivery {self.delivery_id} to {self.address}"

    @property
    def delivery_id(self) -> int:
        """The delivery that this message belongs to."""
        return self.id >> NUMBER_BITS

    @property
    def number(self) -> int:
        """Position in the delivery, from 1."""
        return self.id & ((1 << NUMBER_BITS) - 1)


class MessageValues(models.Model):
    """The personal values that a message's content uses, in the order of its compiled fields.

    Written once at the analysis. Apart from :class:`Message` so that recording an outcome rewrites a narrow row, and so
    that purging personal values is a delete.
    """

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="frozen"
    )
    values = models.JSONField()

    def __str__(self) -> str:
        return f"Values of message {self.message_id}"
