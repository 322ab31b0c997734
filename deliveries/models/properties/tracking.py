"""What is seen of what recipients do with a message, and what becomes of its links."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, URLValidator
from django.db import models

MAX_PARAMETERS = 20
PLACEHOLDERS = ("label", "code")


class TrackingProperties(models.Model):
    """Switches, the time links lead on, parameters that are added to addresses, and choices made for single links."""

    track_clicks = models.BooleanField(
        "activate tracking",
        default=True,
        help_text="Links lead over this server, which notes the click and leads on.",
    )
    track_opens = models.BooleanField(
        "opens tracking",
        default=True,
        help_text="An invisible picture says when HTML is opened. Mail programs that load no pictures say nothing.",
    )
    track_individuals = models.BooleanField(
        "individual tracking",
        default=True,
        help_text="Unticked: opens and clicks are counted, and nobody can tell whose they are.",
    )
    honeypot = models.BooleanField(
        "invisible link",
        default=False,
        help_text="A link that no person can see tells machines that follow everything. Some spam filters dislike it.",
    )
    tracking_validity = models.DurationField(
        "validity period of tracking",
        default=timedelta(0),
        validators=[MinValueValidator(timedelta(0))],
        help_text="So long after the start the links lead on and count. 0: for ever.",
    )
    substitution_url = models.CharField(
        "substitution URL",
        max_length=500,
        blank=True,
        validators=[URLValidator(["http", "https"], message="Write a complete address that begins with https://.")],
        help_text="Where links lead after that. Empty: a page says that the link has ended.",
    )
    url_parameters = models.TextField(
        "parameters added to links",
        blank=True,
        help_text="One name=value a line, for example utm_source=newsletter or utm_campaign={label}. {label} and "
        "{code} are the delivery’s. A parameter that a link has already is left as it is.",
    )
    url_parameter_hosts = models.TextField(
        "only on these sites",
        blank=True,
        help_text="One domain a line; its subdomains count. Empty: all links get the parameters.",
    )
    link_choices = models.JSONField(
        "links",
        default=dict,
        blank=True,
        editable=False,
        help_text="What was set for single links, by their addresses.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Parameters are names and values that are the same for everybody."""
        super().clean()
        if problems := _problems(self.url_parameters):
            raise ValidationError({"url_parameters": problems})

    def parameters(self, label: str, code: str) -> list[tuple[str, str]]:
        """Names and values that links get, for a delivery with this label and code."""
        values = {"label": label, "code": code}
        return [(name.strip(), _filled(value.strip(), values)) for name, _, value in _lines(self.url_parameters)]


def _lines(text: str) -> list[tuple[str, str, str]]:
    return [line.partition("=") for line in text.splitlines() if line.strip()]


def _filled(value: str, values: dict[str, str]) -> str:
    for name in PLACEHOLDERS:
        value = value.replace(f"{{{name}}}", values[name])
    return value


def _problems(text: str) -> list[str]:
    """What is wrong with the parameters, each wrong one by name; empty when nothing is."""
    lines = _lines(text)
    found = (
        [f"Write at most {MAX_PARAMETERS} parameters; these are {len(lines)}."] if len(lines) > MAX_PARAMETERS else []
    )
    nameless = [line for line in lines if not line[1] or not line[0].strip()]
    if nameless:
        found.append(f"{_named(nameless)} no parameter. Write name=value.")
    personal = [line for line in lines if line not in nameless and _has_field(*line)]
    if personal:
        found.append(
            f"{_named(personal)} not the same for everybody: of fields, only {{label}} and {{code}} can stand in a "
            "parameter."
        )
    return found


def _has_field(name: str, _: str, value: str) -> bool:
    rest = name + _filled(value, dict.fromkeys(PLACEHOLDERS, ""))
    return "{" in rest or "}" in rest


def _named(lines: list[tuple[str, str, str]]) -> str:
    """These lines, and the verb after them."""
    names = [f"“{''.join(line).strip()[:60]}”" for line in lines[:MAX_PARAMETERS]]
    if len(names) == 1:
        return f"{names[0]} is"
    more = f" and {len(lines) - len(names)} more" if len(lines) > len(names) else f" and {names.pop()}"
    return f"{', '.join(names)}{more} are"
