"""A row with a password that is sealed at rest."""

from django.db import models

from campaign.lib.sealing import seal, unseal


class SealedPassword(models.Model):
    """Whoever logs in elsewhere: ``password`` is in clear, what the database holds of it is ciphertext."""

    sealed_password = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def password(self) -> str:
        """The password in clear, for the connection only. Raises :class:`campaign.lib.sealing.SealBroken`."""
        return unseal(self.sealed_password)

    @password.setter
    def password(self, secret: str) -> None:
        self.sealed_password = seal(secret)
