"""Notifications in JSON that Amazon SES sends by mail through SNS. PURE."""

import json
from dataclasses import dataclass
from typing import Any

from bounces.parsing.codes import enhanced, reply_code
from bounces.parsing.report import Action, Finding, Kind

_KINDS = {"bounce": Kind.BOUNCE, "complaint": Kind.FEEDBACK, "delivery": Kind.OTHER, "deliverydelay": Kind.DELAYED}


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says."""

    kind: Kind
    recipients: tuple[Finding, ...]
    message_ids: tuple[str, ...]
    senders: tuple[str, ...]


def parse_notification(text: str) -> Notification | None:
    """The notification that a text begins with; None when there is none."""
    start = text.find("{")
    if start < 0 or start > 200 or ("otificationType" not in text and "eventType" not in text):
        return None
    said = _object(text[start:])
    if "Message" in said:
        said = _object(said["Message"]) if isinstance(said["Message"], str) else said["Message"]
    kind = _KINDS.get(str(said.get("notificationType") or said.get("eventType") or "").lower())
    if kind is None:
        return None
    mail = said.get("mail") if isinstance(said.get("mail"), dict) else {}
    return Notification(kind, tuple(_findings(said, kind)), _texts(mail, "messageId"), _texts(mail, "source"))


def _object(text: str) -> dict[str, Any]:
    # A mail system may have folded the lines inside of texts, where JSON knows no line breaks.
    for candidate in (text, text.replace("\n ", "").replace("\n", "")):
        try:
            found, _ = json.JSONDecoder(strict=False).raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _texts(values: Any, name: str) -> tuple[str, ...]:
    value = values.get(name) if isinstance(values, dict) else None
    return (value,) if isinstance(value, str) else ()


def _findings(said: dict[str, Any], kind: Kind) -> list[Finding]:
    body = said.get("bounce") or said.get("complaint") or said.get("deliveryDelay") or {}
    if not isinstance(body, dict):
        return []
    action = {Kind.BOUNCE: Action.FAILED, Kind.FEEDBACK: Action.COMPLAINED, Kind.DELAYED: Action.DELAYED}.get(kind)
    rows = next((rows for name, rows in body.items() if name.endswith("Recipients") and isinstance(rows, list)), [])
    if action is None:
        return []
    return [_finding(row, body, action) for row in rows[:1_000] if isinstance(row, dict) and row.get("emailAddress")]


def _finding(row: dict[str, Any], body: dict[str, Any], action: Action) -> Finding:
    diagnostic = str(row.get("diagnosticCode") or "").removeprefix("smtp; ").removeprefix("smtp;").strip()
    if not diagnostic:
        diagnostic = " ".join(str(body.get(name) or "") for name in ("bounceType", "bounceSubType")).strip()
    return Finding(
        address=str(row["emailAddress"])[:320],
        action=action,
        status=enhanced(str(row.get("status") or "")) or enhanced(diagnostic),
        diagnostic=diagnostic[:2_000],
        reply_code=reply_code(diagnostic),
    )
