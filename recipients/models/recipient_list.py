"""Named groups of people."""

from django.db import models
from django.db.models.functions import Lower

from recipients.models.recipient import Recipient


class RecipientList(models.Model):
    """A named group of recipients. Names differ by more than case."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    recipients = models.ManyToManyField(Recipient, through="ListMembership", related_name="lists")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "list"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="recipient_list_name_in_any_case",
                violation_error_message="A list of this name exists (case makes no difference). Choose another.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ListMembership(models.Model):
    """A recipient on a list."""

    list = models.ForeignKey(RecipientList, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="memberships")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "recipient"], name="membership_once")]

    def __str__(self) -> str:
        return f"Recipient {self.recipient_id} on list {self.list_id}"
