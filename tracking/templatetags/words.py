"""Sentences in the reader's language."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context: Context, name: str, **values: Any) -> SafeString:
    """``{% say "done_all" address=address %}``: the sentence of this name from the page's ``words``, values escaped."""
    sentence: SafeString = context["words"].html(name, **values)
    return sentence
