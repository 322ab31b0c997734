"""The headers by which providers give our message identifier back, as the operator's guide names them."""

import json
import re
from email import message_from_bytes, policy

import pytest

from campaign.env import BASE_DIR
from tests.bounces import sent

GUIDE = (BASE_DIR / "docs" / "operators-guide.md").read_text()
LINES = dict(re.findall(r"^\| [^|]+ \| `(\w+)` \|.*\| `([^`]+)` \|$", GUIDE, re.MULTILINE))


@pytest.mark.django_db
def test_they_carry_the_identifier_in_the_providers_form() -> None:
    (message,) = sent.messages(sent.delivered(smtp_headers="\n".join(LINES.values())))

    mail = message_from_bytes(sent.wire(message), policy=policy.default)

    identifier = sent.envelope_id(message)
    assert sorted(LINES) == ["brevo", "postmark", "sparkpost"]
    assert mail["X-PM-Metadata-message"] == identifier
    assert json.loads(mail["X-Mailin-custom"]) == {"message": identifier}
    assert json.loads(mail["X-MSYS-API"]) == {"metadata": {"message": identifier}}
