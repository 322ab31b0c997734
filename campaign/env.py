"""The environment variables the project reads, each with its meaning, its type and a default that works."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from campaign.lib.durations import DurationError, parse

BASE_DIR = Path(__file__).resolve().parent.parent

Words = Annotated[tuple[str, ...], NoDecode]


def _duration(value: object) -> object:
    """A duration as people write it; ``forever`` is ``None``."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "forever":
        return None
    try:
        return parse(value)
    except DurationError:
        raise ValueError("it must be a duration such as 180d or 2y, or forever") from None


def _address(value: str) -> str:
    """An e-mail address by its form, or nothing; deliveries look closer."""
    local, at, domain = value.rpartition("@")
    if value and not (local and at and domain and value.isprintable() and " " not in value):
        raise ValueError("it must look like name@example.com")
    return value


Address = Annotated[str, AfterValidator(_address)]
Keep = Annotated[timedelta | None, BeforeValidator(_duration)]


class EnvironmentProblem(Exception):
    """One or more variables cannot be used. ``str()`` has one sentence per line, one line per variable."""


class Environment(BaseSettings):
    """The variables, read from the process environment first and from the file ``.env`` second."""

    model_config = SettingsConfigDict(env_file=BASE_DIR / ".env", extra="ignore", frozen=True)

    DATABASE_URL: str | None = Field(
        default=None,
        description="PostgreSQL to use, as postgresql://user:password@host:5432/name. "
        "Unset: the project starts its own PostgreSQL under VAR_DIR.",
    )
    REDIS_URL: str | None = Field(
        default=None,
        description="Redis to use, as redis://host:6379/0. Unset: the project starts its own Redis under VAR_DIR.",
    )
    SECRET_KEY: str | None = Field(
        default=None,
        description="Signs sessions and seals stored passwords. Unset: made once and kept in VAR_DIR/secret_key.",
    )
    SECRET_KEY_FALLBACKS: Words = Field(
        default=(), description="Former values of SECRET_KEY that are still accepted, separated by commas."
    )
    DEBUG: bool = Field(default=False, description="Show tracebacks in the browser. Never on a public machine.")
    PUBLIC_URL: str = Field(
        default="http://127.0.0.1:8000",
        description="Where recipients reach this installation: the beginning of every link in a message.",
    )
    ALLOWED_HOSTS: Words = Field(
        default=(),
        description="Host names this installation answers to, separated by commas, beside PUBLIC_URL's and localhost.",
    )
    BEHIND_PROXY: bool = Field(
        default=False,
        description="A reverse proxy in front ends TLS and always sets X-Forwarded-Proto. "
        "Unless it does, anyone could claim to come over HTTPS.",
    )
    LANES_PER_PROCESS: int = Field(
        default=20,
        ge=1,
        description="SMTP connections that one worker process opens at most, side by side. It opens more than one only "
        "where the servers keep it waiting; each uses a database connection.",
    )
    VAR_DIR: Path = Field(
        default=BASE_DIR / "var",
        description="Where uploaded files, the made SECRET_KEY and the services' own data are kept.",
    )
    ERROR_ADDRESS: Address = Field(
        default="bounces@localhost",
        description="Envelope sender of messages whose delivery names none: the address bounces return to.",
    )
    INVESTIGATION_ADDRESS: Address = Field(
        default="",
        description="Where bounces go that no rule could qualify, unless a delivery names another address. "
        "Unset: they are kept in the administration only.",
    )
    BOUNCE_DOMAINS: Words = Field(
        default=(),
        description="Domains that error and investigation addresses may have, separated by commas. Unset: any domain.",
    )
    SENDER_DOMAINS: Words = Field(
        default=(),
        description="Domains that senders may write from, separated by commas; what is below them is allowed as well. "
        "Unset: any domain.",
    )
    SPAM_FILTER: str = Field(
        default="",
        description="Spam filter that judges a message at each analysis: Rspamd as http://localhost:11333, or "
        "SpamAssassin as spamd://localhost:783. Unset: none.",
    )
    RETURN_PATH: str = Field(
        default="sub-address",
        pattern="^(sub-address|domain|plain)$",
        description="How the envelope sender names its message: sub-address (bounces+identifier@example.com; the "
        "mailbox must take sub-addresses), domain (identifier@example.com; the domain must take every address), or "
        "plain (not at all).",
    )
    UNSUBSCRIBE_BY_MAIL: bool = Field(
        default=True,
        description="Messages also offer unsubscription by a mail to the mailbox that takes bounces. Switch it off "
        "where nobody reads that mailbox.",
    )
    SUBSCRIPTION_MAILS_AN_HOUR: int = Field(
        default=1_000,
        ge=1,
        description="Mails that subscription forms send within an hour, over all services. At four fifths of it "
        "operators are warned; at it the forms are shut until fewer were sent in the last hour.",
    )
    WEBHOOK_SECRET: Words = Field(
        default=(),
        description="What providers' webhooks must show, as user:password (long and random), several separated by "
        "commas. Unset: Amazon SES, Postmark, SparkPost and Brevo cannot call.",
    )
    MAILGUN_SIGNING_KEY: str = Field(
        default="", description="Mailgun's HTTP webhook signing key. Unset: Mailgun cannot call."
    )
    SENDGRID_VERIFICATION_KEY: str = Field(
        default="",
        description="The verification key of SendGrid's signed event webhook. Unset: SendGrid cannot call.",
    )
    ARCHIVE_STORAGE: str = Field(
        default="django.core.files.storage.FileSystemStorage",
        description="Where archives store .eml files: a Django storage, such as storages.backends.s3.S3Storage.",
    )
    ARCHIVE_STORAGE_OPTIONS: Annotated[dict[str, Any], NoDecode] = Field(
        default={},
        description='Options of that storage as JSON, such as {"bucket_name": "mail"}. Unset: the folder archive in '
        "VAR_DIR.",
    )
    KEEP_LOG: Keep = Field(
        default=timedelta(days=180),
        description="How long the log of a delivery that has ended is kept, such as 180d or 2y, or forever; at least "
        "as long as its mirror pages. Its figures stay.",
    )
    KEEP_EVENTS: Keep = Field(
        default=timedelta(days=360), description="How long single opens and clicks are kept. Their figures stay."
    )
    KEEP_RAW_BOUNCES: Keep = Field(
        default=timedelta(days=30),
        description="How long returned mails are kept as they came. What was read from them stays with the log.",
    )
    KEEP_IMPORTS: Keep = Field(
        default=timedelta(days=180),
        description="How long imports, their files and their rejected lines are kept. The people stay.",
    )
    KEEP_AUDIT: Keep = Field(
        default=timedelta(days=180), description="How long the audit trail of what people did is kept."
    )
    DNS_SERVER: str = Field(
        default="",
        description="IP address of the DNS server that manage.py check_domain asks, with :port where it is not 53. "
        "Unset: this host's own resolvers.",
    )
    LOG_LEVEL: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$",
        description="Least severe log record that is written: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    )

    @field_validator("DATABASE_URL", "REDIS_URL", "SECRET_KEY", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator(
        "ALLOWED_HOSTS", "SECRET_KEY_FALLBACKS", "BOUNCE_DOMAINS", "SENDER_DOMAINS", "WEBHOOK_SECRET", mode="before"
    )
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("ARCHIVE_STORAGE_OPTIONS", mode="before")
    @classmethod
    def _read_as_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            options = json.loads(value or "{}")
        except ValueError:
            options = None
        if not isinstance(options, dict):
            raise ValueError('it must be JSON such as {"bucket_name": "mail"}')
        return options

    @field_validator("WEBHOOK_SECRET")
    @classmethod
    def _are_credentials(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not user or not password for user, _, password in (each.partition(":") for each in value)):
            raise ValueError("it must look like user:password")
        return value

    @field_validator("DATABASE_URL")
    @classmethod
    def _names_a_database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = conninfo_to_dict(value)
        except ProgrammingError:
            raise ValueError("it must look like postgresql://user:password@host:5432/name") from None
        if not parts.get("dbname"):
            raise ValueError("it names no database; write postgresql://user:password@host:5432/name")
        return value

    @field_validator("REDIS_URL")
    @classmethod
    def _names_a_redis(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("PUBLIC_URL")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("it must be a web address such as https://news.example.com")
        return value.rstrip("/")

    @field_validator("SPAM_FILTER")
    @classmethod
    def _is_a_spam_filter(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https", "spamd"} or not parts.hostname):
            raise ValueError("it must look like http://localhost:11333 or spamd://localhost:783")
        return value

    @field_validator("VAR_DIR")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        return (BASE_DIR / value.expanduser()).resolve()


def load() -> Environment:
    """The environment, typed. Raises :class:`EnvironmentProblem` with one sentence per variable that cannot be used."""
    try:
        return Environment()
    except ValidationError as error:
        raise EnvironmentProblem("\n".join(_sentences(error))) from None


def _sentences(error: ValidationError) -> list[str]:
    """One sentence per variable. Values are left out: they may be secrets."""
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        name = problem["loc"][0]
        reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        reason = reason.removesuffix(", unable to interpret input")
        wanted = reason if reason.startswith("it ") else f"it should be {reason}"
        if problem["type"] == "string_pattern_mismatch":
            wanted = "it is none of the allowed words"
        meaning = Environment.model_fields[str(name)].description
        sentences.append(f"The environment variable {name} cannot be used: {wanted}. ({meaning})")
    return sentences
