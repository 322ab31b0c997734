"""The audit trail: what people did, for as long as ``KEEP_AUDIT`` says."""

from django.conf import settings
from django.db import models


class AuditLine(models.Model):
    """One act of a person, or of the system on its own, on a delivery. Never changed, and kept when the delivery, the
    person or the journal is gone."""

    at = models.DateTimeField("when")
    delivery = models.ForeignKey(
        "deliveries.Delivery", on_delete=models.SET_NULL, null=True, related_name="audit", db_constraint=False
    )
    delivery_label = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150, blank=True, help_text="Empty: the system itself.")
    sentence = models.TextField("what was done")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["at"], name="audit_by_time")]

    def __str__(self) -> str:
        return f"{self.delivery_label}: {self.sentence}"
