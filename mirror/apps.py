"""The public mirror page."""

from django.apps import AppConfig


class MirrorConfig(AppConfig):
    """The mirror page app."""

    name = "mirror"
