"""What recipients do with a message: open, click, unsubscribe; and how they subscribe."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """The tracking app. When it is ready, it says how long events are kept and what they say about a person, and lets
    saved queries ask for opens and clicks."""

    name = "tracking"

    def ready(self) -> None:
        """Register all three, and hear of what is judged anew."""
        from deliveries.signals import judged_again
        from tracking import behaviour, keeping
        from tracking.figures.log import count_again

        keeping.register()
        behaviour.register()
        judged_again.connect(count_again, dispatch_uid="tracking.figures")
