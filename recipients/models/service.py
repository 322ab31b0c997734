"""What people agree to get, and who agreed."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Value

from recipients.models.recipient import Recipient


class Service(models.Model):
    """Something people agree to get, such as a newsletter; a delivery may reach only those who did."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    is_public = models.BooleanField(
        "shown to its subscribers",
        default=True,
        help_text="People find its name on their preferences page and may leave it, or take it up again, there.",
    )
    has_form = models.BooleanField(
        "public subscription form",
        default=False,
        help_text="Anybody may ask for it on a page of its own; they are subscribed once they follow the link in the "
        "mail they get.",
    )
    sender_name = models.CharField("sender’s name", max_length=200, blank=True, help_text="Of that mail.")
    sender_address = models.EmailField(
        "sender’s address", max_length=254, blank=True, help_text="Of that mail; it leaves by the route of its domain."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Mails need a sender, and names no line break."""
        if self.has_form and not self.sender_address:
            raise ValidationError({"sender_address": "Write the sender’s address of the mails that the form sends."})


class Subscription(models.Model):
    """A recipient's consent to a service, until it is withdrawn."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="subscriptions", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="subscriptions")
    source = models.CharField(max_length=200, blank=True, help_text="Where the consent comes from.")
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the consent stands.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "recipient"], name="subscription_once")]

    def __str__(self) -> str:
        return f"Recipient {self.recipient_id} to service {self.service_id}"


def mailbox_of(address_key: F | Value) -> Func:
    """The address without its sub-address: ``a+1@`` and ``a+2@`` are one mailbox."""
    return Func(
        address_key, Value(r"(.)\+[^@]*@"), Value(r"\1@"), function="regexp_replace", output_field=models.TextField()
    )


class SubscriptionRequest(models.Model):
    """Somebody asked for a service on its form. Nobody is subscribed before the link in the mail is followed; then, or
    after a week, this row goes."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=320)
    address_key = models.CharField(max_length=320, db_index=True)
    mailbox = models.GeneratedField(
        expression=mailbox_of(F("address_key")),
        output_field=models.TextField(),
        db_persist=True,
        db_index=True,
        help_text="Whom limits are for.",
    )
    language = models.CharField(max_length=8)
    asked_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="Empty once the mail is sent, or given up.")
    sentence = models.TextField(blank=True, help_text="Why the mail could not be sent.")
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # The few whose mail still has to leave.
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(next_attempt_at__isnull=False), name="request_to_send"
            )
        ]

    def __str__(self) -> str:
        return f"Request {self.pk} for {self.service_id}"
