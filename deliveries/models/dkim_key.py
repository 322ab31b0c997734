"""DKIM keys: what signs the mails of a sender's domain."""

from django.db import models

from campaign.lib.sealing import SealBroken, seal, unseal


class Algorithm(models.TextChoices):
    """How a key signs; the value is the ``k=`` of its DNS record."""

    RSA = "rsa", "RSA (2048 bits)"
    ED25519 = "ed25519", "Ed25519"


class DkimKey(models.Model):
    """A key pair whose public half is published at ``selector._domainkey.domain`` (both in ASCII, small letters).

    Contents name the keys that sign them, for ever: triggers keep a key that a content names, and what identifies any
    key. ``active`` says whether new contents may take it.
    """

    domain = models.CharField(max_length=253)
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=7, choices=Algorithm.choices, default=Algorithm.RSA)
    sealed_private_key = models.TextField(editable=False)
    public_key = models.TextField(editable=False, help_text="Base64, as in the DNS record.")
    created_at = models.DateTimeField(auto_now_add=True)
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "DKIM key"
        ordering = ["domain", "created_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="dkim_key_one_per_selector")]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def private_key(self) -> str:
        """The private key (PEM), for signing only. Raises :class:`campaign.lib.sealing.SealBroken`."""
        try:
            return unseal(self.sealed_private_key)
        except SealBroken:
            raise SealBroken(
                f"The private DKIM key {self} cannot be read: SECRET_KEY has changed. Put the former key into "
                "SECRET_KEY_FALLBACKS, or retire this key, make another one and analyse again."
            ) from None

    @private_key.setter
    def private_key(self, pem: str) -> None:
        self.sealed_private_key = seal(pem)
