"""Write the golden files of the present version, unless there are any."""

import json

from deliveries.rendering.compile import VERSION
from deliveries.rendering.merge import Renderer
from tests.golden.contents import CONTENT_ID, FOLDER, KEY, ROWS, content, row_of

path = FOLDER / f"content-v{VERSION}.json"
if path.exists():
    raise SystemExit(f"{path.name} exists. Golden files are never written again.")
compiled = content()
path.write_text(json.dumps(compiled.to_json(), ensure_ascii=False, indent=1) + "\n")
(FOLDER / f"rows-v{VERSION}.json").write_text(json.dumps(ROWS, ensure_ascii=False, indent=1) + "\n")
renderer = Renderer(compiled, CONTENT_ID, KEY)
for number, row in enumerate(ROWS, start=1):
    (FOLDER / f"mail-v{VERSION}-{number}.eml").write_bytes(renderer.mail(row_of(row)).data)
    (FOLDER / f"mirror-v{VERSION}-{number}.html").write_bytes(renderer.html(row_of(row)).encode())
