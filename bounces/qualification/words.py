"""The words of a server without what differs from one message to the next. PURE."""

import re

_LINK = re.compile(r"<?(?:https?|ftp)://\S+|\bwww\.\S+")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'@]{1,128}@(?:[\w-]{1,63}\.){0,10}[\w-]{1,63}")
# What the reporting server says around the words of the one that refused.
_FRAME = re.compile(
    r"host \S{1,255} (?:said|refused to talk to me): |\(in reply to (?!mail from)[a-z ]{1,40}\)|"
    r"delivery temporarily suspended: "
)
_STAGE = re.compile(
    r"(?:host \S{1,255} \[\S{2,45}\]:? )?[ls]mtp error from remote (?:mail )?(?:server|mailer) after "
    r"(?!(?:pipelined )?mail from)[a-z ]{3,40}(?::<?\*>?| \S{1,255})?: ?"
)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b")
_BOILERPLATE = re.compile(
    r"this is a permanent error[;.,]? ?(?:i'?ve given up)?|i'?ve given up|sorry it didn'?t work out|"
    r"message (?:was )?(?:created )?automatically (?:created )?(?:generated )?by [^.:]{0,80}|"
    r"(?:please|for further assistance|if you|you (?:can|may|should|must|do not)|no action is|do not reply|contact|"
    r"this is an? (?:automat|warning|permanent)|to: |from: |subject: |date: |sent: )[^.:;]{0,160}[.:;]?|"
    r"(?:delivery|undelivered|mail|message|returned) (?:status|failure|error)? ?(?:notification|report|notice)|"
    r"reporting-mta|arrival-date|final-recipient|an error was detected while|disclaimer|confidential",
    re.IGNORECASE,
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "\xa0": " ", "‑": "-"})
_VARIABLE = re.compile(r"\b(?=[a-z0-9._=+/-]*\d)[a-z0-9][a-z0-9._=+/-]{5,}\b|(?<![\d.])\d{4,}(?![\d.])")


def masked(text: str) -> str:
    """The text in lower case on one line, with plain quotes, ``*`` for each address and ``#url#`` for each link."""
    lower = text.translate(_QUOTES).lower()
    if "://" in lower or "www." in lower:
        lower = _LINK.sub("#url#", lower)
    if "@" in lower:
        lower = _ADDRESS.sub("*", lower)
    lower = " ".join(lower.split())
    if "mtp error from remote" in lower:
        lower = _STAGE.sub("", lower)
    return _FRAME.sub("", lower)


def without_boilerplate(notice: str) -> str:
    """A notice without the sentences that every notice of its server has, whatever happened."""
    return _BOILERPLATE.sub(" ", " ".join(notice.split()))


def grouped(text: str) -> str:
    """The masked text with ``#ip#`` and ``#id#`` for what names one connection or message: equal for equal refusals."""
    return _VARIABLE.sub("#id#", _IP.sub("#ip#", masked(text)))
