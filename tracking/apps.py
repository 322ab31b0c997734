"""What recipients do with a message: open, click, unsubscribe; and how they subscribe."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_delete


class TrackingConfig(AppConfig):
    """The tracking app. When it is ready, it says how long events are kept and what they say about a person, lets saved
    queries ask for opens and clicks, and adds its reports to the deliveries' pages."""

    name = "tracking"

    def ready(self) -> None:
        """Rules follow the project after migrations; saved queries may ask who opened or clicked; a look at a mirror
        page is an event; figures hear of what is judged anew, A/B tests how people reacted; a deleted delivery takes
        its events with it; deliveries get their reports."""
        from campaign.lib import notices
        from deliveries.abtest import figures
        from deliveries.signals import judged_again, mirror_viewed
        from tracking import behaviour, default_rules, keeping
        from tracking.figures.log import count_again
        from tracking.figures.variants import reactions
        from tracking.reports.register import register_reports
        from tracking.subscribing.notices import tell

        keeping.register()
        notices.register("subscription forms", tell)
        behaviour.register()
        register_reports()
        judged_again.connect(count_again, dispatch_uid="tracking.figures")
        figures.register(reactions)
        post_migrate.connect(default_rules.update_rules, sender=self)
        mirror_viewed.connect(_note_mirror)
        pre_delete.connect(_forget_delivery, sender="deliveries.Delivery")


def _note_mirror(content_id: int, message_id: int, environ: dict[str, Any], **_: Any) -> None:
    from tracking.answers import note_mirror

    note_mirror(content_id, message_id, environ)


def _forget_delivery(instance: Any, **_: Any) -> None:
    """A delivery that is deleted has sent nothing but proofs; their events go with them."""
    from deliveries.models import message_range
    from tracking.models import Event

    Event.objects.filter(message_id__range=message_range(instance.pk)).delete()
