"""What recipients do with a message: open, click, unsubscribe; and how they subscribe."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """The tracking app. When it is ready, it says how long events are kept and what they say about a person."""

    name = "tracking"

    def ready(self) -> None:
        """Register both."""
        from tracking.keeping import register

        register()
