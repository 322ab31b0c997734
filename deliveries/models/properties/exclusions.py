"""Who is left out of a target."""

from django.db import models


class ExclusionProperties(models.Model):
    """Switches of the exclusions. Somebody without an address is always left out."""

    exclude_duplicates = models.BooleanField(
        "exclude duplicate addresses",
        default=True,
        help_text="Everybody gets one message, however often they are found. Without it each line of an uploaded file "
        "gets one.",
    )
    keep_duplicate_records = models.BooleanField(
        "keep duplicate records",
        default=False,
        help_text="The same recipient, found on several lists or by several queries, gets a message for each.",
    )
    exclude_denylisted = models.BooleanField(
        "exclude recipients who no longer want to be contacted",
        default=True,
        help_text="Leave this on, unless the law asks you to write to them.",
    )
    exclude_quarantined = models.BooleanField(
        "exclude quarantined recipients", default=True, help_text="Their addresses fail."
    )
    consent_service = models.ForeignKey(
        "recipients.Service",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="only with consent for",
        help_text="Leave out everybody who has not agreed to this service. Empty: nobody is left out for that.",
    )

    class Meta:
        abstract = True
