"""Whether a person confirms, or a good analysis is enough."""

from django.db import models


class ApprovalMode(models.TextChoices):
    """What happens after an analysis without errors."""

    MANUAL = "manual", "Manual: a person confirms"
    SEMI = "semi", "Semi-automatic: it starts by itself when the analysis raised no warning"
    AUTOMATIC = "automatic", "Automatic: it starts by itself, warnings or not"


class ApprovalProperties(models.Model):
    """The approval mode."""

    approval_mode = models.CharField(
        max_length=9,
        choices=ApprovalMode,
        default=ApprovalMode.MANUAL,
        help_text="It starts by itself only when the person who asked for the analysis may start it. An error always "
        "keeps it from starting.",
    )

    class Meta:
        abstract = True
