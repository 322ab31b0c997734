"""Delivery templates, and the platform's own defaults that new ones begin with."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from deliveries.models.properties import Properties

NEVER_LOCKED = frozenset({"label", "code", "description"})
"""What names a delivery is its own."""


class TemplateManager(models.Manager["DeliveryTemplate"]):
    """Templates that people see."""

    def get_queryset(self) -> models.QuerySet["DeliveryTemplate"]:
        """Without the platform's defaults."""
        return super().get_queryset().filter(is_platform=False)


class DeliveryTemplate(Properties):
    """Content and properties without a run; deliveries start as copies of it."""

    locked = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        verbose_name="locked fields",
        help_text="Deliveries made from this template cannot change these.",
    )
    is_platform = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TemplateManager()

    class Meta(Properties.Meta):
        abstract = False
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(fields=["label"], name="template_label_unique"),
            models.UniqueConstraint(
                fields=["is_platform"], condition=models.Q(is_platform=True), name="template_one_platform"
            ),
        ]


class PlatformManager(models.Manager["PlatformDefaults"]):
    """The one row of the platform's defaults."""

    def get_queryset(self) -> models.QuerySet["PlatformDefaults"]:
        """At most one row."""
        return super().get_queryset().filter(is_platform=True)

    def current(self) -> "PlatformDefaults":
        """The defaults, as they come with the project until somebody changes them."""
        return self.first() or PlatformDefaults(label=PlatformDefaults.LABEL, is_platform=True)

    def ensured(self) -> "PlatformDefaults":
        """The same as a row that can be edited."""
        row, _ = self.get_or_create(is_platform=True, defaults={"label": PlatformDefaults.LABEL})
        return row


class PlatformDefaults(DeliveryTemplate):
    """What new templates begin with."""

    LABEL = "Platform defaults"

    objects: ClassVar[Any] = PlatformManager()

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = "platform defaults"

    def __str__(self) -> str:
        return self.LABEL
