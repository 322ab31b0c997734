"""The project as a Django app: what is registered once all apps are loaded."""

from django.apps import AppConfig


class CampaignConfig(AppConfig):
    """The project itself."""

    name = "campaign"
    verbose_name = "Campaign"

    def ready(self) -> None:
        """Make the Celery app the current one, so that tasks queued by the web land on its broker; register checks."""
        from campaign import celery, checks  # noqa: F401
