"""Providers' webhooks: django-anymail checks and reads a request, a small file per provider fills the gaps."""

from bounces.sources.webhooks import amazon_ses, brevo, mailgun, postmark, sendgrid, sparkpost
from bounces.sources.webhooks.provider import PROVIDERS, Provider

__all__ = ["PROVIDERS", "Provider", "amazon_ses", "brevo", "mailgun", "postmark", "sendgrid", "sparkpost"]
