"""Which checks an analysis runs."""

from django.db import models


class TypologyProperties(models.Model):
    """The typology."""

    typology = models.ForeignKey(
        "deliveries.Typology",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The checks that an analysis runs, and whether each warns or refuses. Empty: the default typology.",
    )

    class Meta:
        abstract = True
