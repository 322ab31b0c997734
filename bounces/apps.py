"""What comes back: bounces, feedback reports and automatic replies."""

from django.apps import AppConfig


class BouncesConfig(AppConfig):
    """The bounces app. When it is ready, refusals in the SMTP dialogue are judged by the same rules as bounce mails."""

    name = "bounces"
    verbose_name = "Bounces"

    def ready(self) -> None:
        """Register the rules with what sends, and what is kept for how long."""
        from bounces import keeping
        from bounces.qualification.replies import by_rules
        from deliveries.sending import verdict

        verdict.register(by_rules)
        keeping.register()
