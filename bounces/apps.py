"""What comes back: bounces, feedback reports and automatic replies."""

from django.apps import AppConfig


class BouncesConfig(AppConfig):
    """The bounces app. When it is ready, refusals in the SMTP dialogue are judged by the same rules as bounce mails."""

    name = "bounces"
    verbose_name = "Bounces"

    def ready(self) -> None:
        """Register the rules with what sends, what is kept for how long, and what the home page says."""
        from bounces import keeping
        from bounces.notices import tell
        from bounces.qualification.replies import by_rules
        from campaign.lib import notices
        from deliveries.sending import verdict

        verdict.register(by_rules)
        keeping.register()
        notices.register("bounces", tell)
