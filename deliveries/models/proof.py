"""What a proof is sent to."""

from typing import Final

from django.db import models

MOST_LINES: Final = 100
"""Messages of one proof; more would be a mailing."""


class ProofLine(models.Model):
    """One message of a proof: the address that gets it, and the recipient whose data it shows."""

    proof = models.ForeignKey("deliveries.Delivery", on_delete=models.CASCADE, related_name="proof_lines")
    number = models.PositiveIntegerField()
    address = models.CharField(max_length=320)
    recipient = models.ForeignKey(
        "recipients.Recipient", on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    seed = models.ForeignKey(
        "deliveries.SeedAddress",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        help_text="Its own fields come first; the recipient's fill what it lacks.",
    )
    mail_format = models.CharField(max_length=4, blank=True, help_text="text, or empty for both parts.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["proof", "number"], name="proof_line_number_unique")]

    def __str__(self) -> str:
        return self.address
