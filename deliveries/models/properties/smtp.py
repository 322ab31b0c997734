"""What the SMTP tab sets."""

from django.db import models


class SmtpProperties(models.Model):
    """Bounce addresses and additional headers."""

    default_error_address = models.BooleanField(
        "use the default error address defined for the platform",
        default=True,
        help_text="Bounces return there. Untick to name an error address of this delivery's own.",
    )
    error_address = models.CharField(
        max_length=320,
        blank=True,
        help_text="Where bounces return; personalization is allowed. Each message's identifier is added by itself. "
        "Used only while the box above is not ticked.",
    )
    investigation_address = models.CharField(
        max_length=320,
        blank=True,
        help_text="Where bounces go that no rule could qualify, for a person to read; personalization is allowed. "
        "Empty: the platform's.",
    )

    smtp_headers = models.TextField(
        "additional SMTP headers",
        blank=True,
        help_text="One <code>name: value</code> a line. Values may be personalized, and lines may stand between "
        "<code>{% if … %}</code> and <code>{% endif %}</code> lines.",
    )

    class Meta:
        abstract = True
