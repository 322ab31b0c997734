import json
from datetime import datetime

import pytest

from deliveries.rendering.compile import VERSION, Compiled
from deliveries.rendering.merge import MessageRow, Renderer
from tests.deliveries.rendering.contents import defects, parsed
from tests.golden.contents import CONTENT_ID, FOLDER, KEY, content

VERSIONS = range(1, VERSION + 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_makes_the_mails_and_the_mirror_pages_of_every_version_as_ever(version: int) -> None:
    compiled = Compiled.from_json(json.loads((FOLDER / f"content-v{version}.json").read_text()))
    rows = json.loads((FOLDER / f"rows-v{version}.json").read_text())
    renderer = Renderer(compiled, CONTENT_ID, KEY)
    assert rows
    for number, row in enumerate(rows, start=1):
        values = [row["values"].get(path.removeprefix("recipient.")) for path in compiled.fields]
        message_row = MessageRow(row["id"], row["address"], values, datetime.fromisoformat(row["dated_at"]))

        data = renderer.mail(message_row).data

        assert data == (FOLDER / f"mail-v{version}-{number}.eml").read_bytes()
        assert renderer.html(message_row).encode() == (FOLDER / f"mirror-v{version}-{number}.html").read_bytes()
        assert defects(parsed(data)) == [] or not data.isascii()


def test_it_compiles_the_same_source_to_the_same_content() -> None:
    stored = json.loads((FOLDER / f"content-v{VERSION}.json").read_text())

    assert Compiled.from_json(stored) == content() == Compiled.from_json(json.loads(json.dumps(content().to_json())))
