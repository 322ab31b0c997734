"""What the SMTP tab sets."""

from django.db import models


class SmtpProperties(models.Model):
    """Additional headers."""

    smtp_headers = models.TextField(
        "additional SMTP headers",
        blank=True,
        help_text="One <code>name: value</code> a line. Values may be personalized, and lines may stand between "
        "<code>{% if … %}</code> and <code>{% endif %}</code> lines.",
    )

    class Meta:
        abstract = True
