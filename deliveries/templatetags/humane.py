"""Template filters for people."""

from django import template

register = template.Library()


@register.filter
def number(value: int | None) -> str:
    """A number with a comma between thousands; an en dash for an unknown one."""
    return "–" if value is None else f"{value:,}"
