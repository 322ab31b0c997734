"""The admin of what is written by other means and stays as it was written."""

from typing import Any

from django.http import HttpRequest


class OnlyRead:
    """For an admin or an inline, before its base: its rows are looked at, and neither added, changed nor deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False
