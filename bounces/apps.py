"""What comes back: bounces, feedback reports and automatic replies."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BouncesConfig(AppConfig):
    """The bounces app. When it is ready, refusals in the SMTP dialogue are judged by the same rules as bounce mails."""

    name = "bounces"
    verbose_name = "Bounces"

    def ready(self) -> None:
        """Register the rules with what sends, hear what servers answer; what is kept for how long, and what the home
        page says."""
        from bounces import keeping
        from bounces.dialogue import on_recorded
        from bounces.notices import tell
        from bounces.rules import by_current_rules, load_defaults
        from campaign.lib import notices
        from deliveries.sending import verdict
        from deliveries.signals import recorded

        verdict.register(by_current_rules)
        post_migrate.connect(load_defaults, sender=self)
        recorded.connect(on_recorded, dispatch_uid="bounces.dialogue")
        keeping.register()
        notices.register("bounces", tell)
