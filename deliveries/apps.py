"""What is sent: deliveries, their templates, contents and messages."""

from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    """The deliveries app."""

    name = "deliveries"
    verbose_name = "Deliveries"

    def ready(self) -> None:
        """Saved queries may ask what people did in earlier deliveries."""
        from deliveries.analysis.behaviour import register

        register()
