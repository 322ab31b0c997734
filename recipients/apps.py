"""Who may be written to."""

from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    """The recipients app."""

    name = "recipients"
    verbose_name = "Recipients"
