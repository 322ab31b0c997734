"""What is sent: deliveries, their templates, contents and messages."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeliveriesConfig(AppConfig):
    """The deliveries app."""

    name = "deliveries"
    verbose_name = "Deliveries"

    def ready(self) -> None:
        """A new installation gets its groups, a new check its place in the typologies; saved queries may ask what
        people did in earlier deliveries; who unsubscribes gets nothing that has not left yet; the home page names the
        A/B tests that wait for a person."""
        from campaign.lib import notices
        from deliveries.abtest.notices import tell
        from deliveries.analysis.behaviour import register
        from deliveries.analysis.typology import complete_all
        from deliveries.groups import make_groups
        from deliveries.privacy import register_holding
        from deliveries.retention import register_purges
        from deliveries.wishes import listen

        register()
        register_purges()
        register_holding()
        listen()
        notices.register("ab_tests", tell)
        post_migrate.connect(make_groups)
        post_migrate.connect(complete_all, sender=self)
