"""Keep a delivery, or another template, as a new template."""

from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.models import DeliveryTemplate, Properties


@transaction.atomic
def save_as_template(properties: Properties, label: str) -> DeliveryTemplate:
    """A new template with the same content, properties and files. Raises :class:`ActionRefused` for a name in use."""
    label = label.strip()
    if not label:
        raise ActionRefused("Give the template a name.")
    if DeliveryTemplate._base_manager.filter(label=label).exists():
        raise ActionRefused(f"There is a template “{label}” already. Choose another name.")
    template = DeliveryTemplate(**{**properties.shared(), "label": label})
    if isinstance(properties, DeliveryTemplate):
        template.locked = list(properties.locked)
    template.save()
    template.take_attachments(properties)
    return template
