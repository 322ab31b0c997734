"""The script of additional SMTP headers in the forms: checked while it is typed, and when it is saved."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from deliveries.admin import insert
from deliveries.analysis import source
from deliveries.personalization import header_script
from deliveries.personalization.check import check
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.compile import taken_headers
from deliveries.rendering.headers import WHERE

MAX_SCRIPT = 20_000


class HeadersInput(insert.InsertTextarea):
    """The script with a picker, the usual headers at one click, and a place that says what is wrong while one types."""

    template_name = "deliveries/widgets/headers.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs."""
        return {**super().get_context(name, value, attrs), "usual": header_script.USUAL}


class HeadersField(insert.VerbatimField):
    """A script whose lines can all be used."""

    widget = HeadersInput

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": MAX_SCRIPT, **options})

    def to_python(self, value: Any) -> str:
        """The script without blank lines at its ends; lines keep their numbers while it is wrong."""
        return super().to_python(value).rstrip("\n ")


def choices(groups: insert.Choices) -> insert.Choices:
    """Fields; blocks are made of several lines and left out."""
    return groups[:1]


def check_script(script: str, reply_address: str) -> None:
    """Raises ``ValidationError`` with a sentence for each line that cannot be used."""
    sentences = [str(finding) for finding in script_findings(script, reply_address) if finding.blocks]
    if sentences:
        raise ValidationError(sentences)


def script_findings(script: str, reply_address: str) -> list[header_script.Finding]:
    """What is to be said about the lines, and about the fields that they use."""
    found = header_script.findings(script, taken=taken_headers(reply_address))
    if any(finding.blocks for finding in found):
        return found
    try:
        check(script, WHERE, source.fields())
    except PersonalizationErrors as errors:
        return [*found, *(header_script.Finding(problem.line, problem.sentence) for problem in errors)]
    return found


WRITERS = (
    "deliveries.change_delivery",
    "deliveries.add_deliverytemplate",
    "deliveries.change_deliverytemplate",
    "deliveries.change_platformdefaults",
)
"""Any of these lets somebody write additional headers somewhere."""


@require_POST
def findings_page(request: HttpRequest) -> JsonResponse:
    """What is to be said about a script that is being typed; nothing is stored."""
    if not any(request.user.has_perm(right) for right in WRITERS):
        raise PermissionDenied
    try:
        asked = json.loads(request.body)
        script, reply_address = str(asked["script"])[: MAX_SCRIPT + 1], str(asked["reply_address"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"findings": []}, status=400)
    if len(script) > MAX_SCRIPT:
        return JsonResponse({"findings": [{"sentence": f"The script is longer than {MAX_SCRIPT:,} characters."}]})
    findings = script_findings(script.replace("\r\n", "\n"), reply_address)
    return JsonResponse({"findings": [{"sentence": str(found), "blocks": found.blocks} for found in findings]})
