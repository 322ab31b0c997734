"""What recipients do with a message; for now, unsubscribing."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """The tracking app."""

    name = "tracking"
