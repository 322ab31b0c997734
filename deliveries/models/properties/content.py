"""What a message says, who signs it, and how people find the delivery."""

from django.db import models

from deliveries.models.properties.files import Attachment


class ContentProperties(models.Model):
    """Identity of the delivery, sender, subject, both parts and files."""

    label = models.CharField(max_length=200, help_text="Only people here see it; it names the delivery in every list.")
    code = models.CharField(
        "delivery code", max_length=64, blank=True, help_text="Optional internal code, for filters and reports."
    )
    description = models.TextField(blank=True)

    sender_name = models.CharField(
        max_length=200, blank=True, help_text="The name recipients see. Personalization is allowed."
    )
    sender_address = models.CharField(
        max_length=320, blank=True, help_text="The From address. Answers go there unless a reply address is set."
    )
    reply_name = models.CharField(max_length=200, blank=True)
    reply_address = models.CharField(
        max_length=320, blank=True, help_text="Where answers go; empty means the sender address."
    )
    subject = models.CharField(
        max_length=500, blank=True, help_text="Personalization is allowed. 50 characters or fewer read best on a phone."
    )
    html = models.TextField("HTML content", blank=True)
    text = models.TextField(
        "text content", blank=True, help_text="Empty means: made from the HTML content at the analysis."
    )
    language = models.CharField(
        max_length=16, blank=True, help_text="Language of the content, for example en or fr-CA."
    )
    attachments = models.ManyToManyField(Attachment, blank=True)

    class Meta:
        abstract = True
