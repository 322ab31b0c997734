"""A row with a password that is sealed at rest."""

from typing import Any, Final, Self, overload

from django.db import models

from campaign.lib.sealing import seal, unseal


class Sealed:
    """An attribute in clear, for the connection only; the column that it is made of holds ciphertext.

    Reading it raises :class:`campaign.lib.sealing.SealBroken`.
    """

    def __init__(self, column: str) -> None:
        self.column: Final = column

    @overload
    def __get__(self, row: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, row: models.Model, owner: type[Any]) -> str: ...

    def __get__(self, row: models.Model | None, owner: type[Any]) -> Self | str:
        return self if row is None else unseal(getattr(row, self.column))

    def __set__(self, row: models.Model, secret: str) -> None:
        setattr(row, self.column, seal(secret))


class SealedPassword(models.Model):
    """Whoever logs in elsewhere: ``password`` is in clear, what the database holds of it is ciphertext."""

    sealed_password = models.TextField(blank=True, editable=False)

    password = Sealed("sealed_password")

    class Meta:
        abstract = True
