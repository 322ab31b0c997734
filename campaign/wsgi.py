"""The WSGI entry point: ``gunicorn campaign.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")

django = get_wsgi_application()

from tracking.wsgi import TrackedLinks  # noqa: E402 - its models need the apps, which are loaded above

application = TrackedLinks(django)
