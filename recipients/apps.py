"""Who may be written to."""

from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    """The recipients app. When it is ready, it says what is deleted when old, and what it holds about a person."""

    name = "recipients"
    verbose_name = "Recipients"

    def ready(self) -> None:
        """Register both."""
        from recipients.privacy import register_holding
        from recipients.retention import register_purges

        register_purges()
        register_holding()
