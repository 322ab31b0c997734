"""Frozen contents."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models


def new_key() -> bytes:
    """256 random bits; message identifiers and MIME boundaries of one content are derived from them."""
    return secrets.token_bytes(32)


class Content(models.Model):
    """What an analysis compiled: with a message's values it gives that message's bytes, for ever.

    Written once and never changed (a trigger refuses it), so rendering is a pure function of this row and a message.
    ``dkim_keys`` are the keys that sign it, in the order of their signatures.
    """

    delivery = models.ForeignKey("deliveries.Delivery", on_delete=models.CASCADE, related_name="contents")
    compiled = models.JSONField(editable=False)
    key = models.BinaryField(max_length=32, default=new_key, editable=False)
    dkim_keys = ArrayField(models.BigIntegerField(), default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Content {self.pk} of delivery {self.delivery_id}"
