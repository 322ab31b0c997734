"""Delivery templates."""

from django.db import models

from deliveries.models.properties import Properties


class DeliveryTemplate(Properties):
    """Content and properties without a run; deliveries start as copies of it."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Properties.Meta):
        abstract = False
        ordering = ["label"]
        constraints = [models.UniqueConstraint(fields=["label"], name="template_label_unique")]
