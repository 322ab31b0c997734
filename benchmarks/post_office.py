"""django-post_office with the benchmarks' newsletter: ``python -m benchmarks.post_office DATABASE_URL PORT MESSAGES``.

A process of its own, because it has Django settings of its own; prints messages per second. Two processes send what is
queued, unsigned; the database URL names an empty database.
"""

import sys
import time

from benchmarks import letter
from campaign.connections import django_database

PROCESSES = 2


def main() -> None:
    """Queue, send, print."""
    database_url, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    import django
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={"default": django_database(database_url)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        USE_TZ=True,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        POST_OFFICE={"BATCH_SIZE": 1000, "LOG_LEVEL": 0, "BATCH_DELIVERY_TIMEOUT": 600},
    )
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from post_office import mail
    from post_office.models import STATUS, Email, EmailTemplate

    call_command("migrate", verbosity=0)
    template = EmailTemplate.objects.create(
        name="newsletter", subject=letter.SUBJECT, content=letter.text(), html_content=letter.html()
    )
    mail.send_many(
        [
            {
                "sender": f"{letter.SENDER_NAME} <news@sender.example>",
                "recipients": [letter.address(number)],
                "template": template,
                "context": {"recipient": letter.person(number)},
                "render_on_delivery": True,
            }
            for number in range(1, count + 1)
        ]
    )
    began = time.perf_counter()
    while Email.objects.filter(status=STATUS.queued).exists():
        mail.send_queued(processes=PROCESSES, log_level=0)
        connection.close()  # its forks have ended this process's database session as well
    seconds = time.perf_counter() - began
    if Email.objects.exclude(status=STATUS.sent).exists():
        raise SystemExit("django-post_office did not send every message.")
    print(round(count / seconds, 1))


if __name__ == "__main__":
    main()
