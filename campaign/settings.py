"""Django's settings, all derived from the environment (see campaign/env.py for the variables)."""

import os
import sys
import warnings
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF

from campaign import secret_key
from campaign.connections import celery_broker, django_database
from campaign.env import BASE_DIR, EnvironmentProblem, load
from campaign.services import ServiceProblem, ensure, keep_up

django_stubs_ext.monkeypatch()

try:
    ENV = load()
    VAR_DIR = ENV.VAR_DIR
    if ENV.DATABASE_URL and ENV.REDIS_URL:
        DATABASE_URL, REDIS_URL = ENV.DATABASE_URL, ENV.REDIS_URL
    else:
        _own = ensure(VAR_DIR)
        keep_up(VAR_DIR)
        DATABASE_URL, REDIS_URL = ENV.DATABASE_URL or _own.database, ENV.REDIS_URL or _own.redis
    SECRET_KEY = ENV.SECRET_KEY or secret_key.kept(VAR_DIR)
except (EnvironmentProblem, ServiceProblem) as problem:
    # Every way in (manage.py, gunicorn, celery) ends with the sentence instead of a traceback.
    sys.exit(str(problem))

SECRET_KEY_FALLBACKS = list(ENV.SECRET_KEY_FALLBACKS)
DEBUG = ENV.DEBUG
BEHIND_PROXY = ENV.BEHIND_PROXY
PUBLIC_URL = ENV.PUBLIC_URL
ERROR_ADDRESS = ENV.ERROR_ADDRESS
INVESTIGATION_ADDRESS = ENV.INVESTIGATION_ADDRESS
BOUNCE_DOMAINS = ENV.BOUNCE_DOMAINS
SENDER_DOMAINS = ENV.SENDER_DOMAINS
SPAM_FILTER = ENV.SPAM_FILTER
RETURN_PATH = ENV.RETURN_PATH
UNSUBSCRIBE_BY_MAIL = ENV.UNSUBSCRIBE_BY_MAIL
SUBSCRIPTION_MAILS_AN_HOUR = ENV.SUBSCRIPTION_MAILS_AN_HOUR
KEEP_LOG = ENV.KEEP_LOG
KEEP_EVENTS = ENV.KEEP_EVENTS
KEEP_RAW_BOUNCES = ENV.KEEP_RAW_BOUNCES
KEEP_IMPORTS = ENV.KEEP_IMPORTS
KEEP_AUDIT = ENV.KEEP_AUDIT
LANES_PER_PROCESS = ENV.LANES_PER_PROCESS
DNS_SERVER = ENV.DNS_SERVER
ALLOWED_HOSTS = [urlsplit(PUBLIC_URL).hostname or "", "localhost", "127.0.0.1", "[::1]", *ENV.ALLOWED_HOSTS]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "csp",
    "campaign",
    "recipients",
    "deliveries",
    "bounces",
    "mirror",
    "tracking",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "campaign.persons_zone.middleware",
]

ROOT_URLCONF = "campaign.urls"
WSGI_APPLICATION = "campaign.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": django_database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = ["campaign.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
# Static files are also found where they lie, so that nothing needs collectstatic before the first page.
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", "No directory at", UserWarning)
MEDIA_ROOT = VAR_DIR / "media"
_ARCHIVE_FOLDER = {"location": VAR_DIR / "archive"}
STORAGES: dict[str, dict[str, Any]] = {
    "archive": {"BACKEND": ENV.ARCHIVE_STORAGE, "OPTIONS": ENV.ARCHIVE_STORAGE_OPTIONS or _ARCHIVE_FOLDER},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600

# What providers' webhooks must show; without it their addresses answer 404 (bounces/sources/webhooks).
ANYMAIL: dict[str, Any] = {
    "WEBHOOK_SECRET": list(ENV.WEBHOOK_SECRET),
    "MAILGUN_WEBHOOK_SIGNING_KEY": ENV.MAILGUN_SIGNING_KEY,
    "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": ENV.SENDGRID_VERIFICATION_KEY,
}
warnings.filterwarnings("ignore", "django-anymail has dropped official support for SendGrid")

# Celery: Redis carries hints only, results are rows.
CELERY_BROKER_URL = celery_broker(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# In seconds. Whoever confirms or resumes does not wait for a Redis that hangs: the hint is lost, not the work.
# Queues by name, "default" before "sending": its tasks are short, and one slice of sending for each of them would leave
# analyses, figures and clicks behind for as long as a delivery runs.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 3600,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "queue_order_strategy": "sorted",
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = {name: {"exchange": name, "routing_key": name} for name in ("default", "sending")}
# What works in slices and comes back.
CELERY_TASK_ROUTES = {
    name: {"queue": "sending"}
    for name in ("deliveries.tasks.send_parts", "deliveries.tasks.archive", "bounces.tasks.collect_mailbox")
}
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# While one process waits for a relay on this machine, or for the database, another one works.
CELERY_WORKER_CONCURRENCY = (os.cpu_count() or 1) + 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "wake": {"task": "deliveries.tasks.wake", "schedule": 5.0, "options": {"expires": 5}},  # seconds
    "figures": {"task": "tracking.tasks.count_figures", "schedule": 5.0, "options": {"expires": 5}},
    "forward_mails": {"task": "bounces.tasks.forward_mails", "schedule": 60.0, "options": {"expires": 60}},
    "tidy_bounces": {"task": "bounces.tasks.tidy_bounces", "schedule": 3600.0, "options": {"expires": 3600}},
    "write_hits": {"task": "tracking.tasks.write_hits", "schedule": 1.0, "options": {"expires": 1}},
    "look_again": {"task": "tracking.tasks.look_again", "schedule": 60.0, "options": {"expires": 60}},
    "digests": {"task": "tracking.tasks.send_digests", "schedule": 3600.0, "options": {"expires": 3600}},
    "purge": {"task": "deliveries.tasks.purge", "schedule": 3600.0, "options": {"expires": 3600}},
    "collect_bounces": {"task": "bounces.tasks.collect_due", "schedule": 15.0, "options": {"expires": 15}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# Public pages carry no script at all; the admin's wider policy is set where the admin is (campaign/ui.py).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# A page that the admin shows in a frame of its own says so with xframe_options_sameorigin.
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = False
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if not DEBUG and PUBLIC_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = 31_536_000  # one year
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENV.LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": ENV.LOG_LEVEL, "propagate": True},
        "mail.log": {"level": "WARNING"},  # aiosmtpd would write every command
    },
}
