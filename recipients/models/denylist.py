"""People who asked not to be written to."""

from django.db import models

from recipients.models.recipient import Recipient


class Denylist(models.Model):
    """A person who asked not to be written to."""

    recipient = models.OneToOneField(Recipient, on_delete=models.CASCADE, related_name="denied")
    source = models.CharField(max_length=200, help_text="Where the wish was expressed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "person on the denylist"
        verbose_name_plural = "denylist"

    def __str__(self) -> str:
        return str(self.recipient)


class ErasedWish(models.Model):
    """Somebody whose data were erased had asked not to be written to: a keyed hash of the address, nothing else."""

    digest = models.BinaryField(max_length=32, unique=True)
    source = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Wish {self.pk} of a person who was erased"
