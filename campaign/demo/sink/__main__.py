"""``python -m campaign.demo.sink``: a sink that keeps its messages below a folder."""

import argparse
import asyncio
from pathlib import Path

from campaign.demo.sink import Mailbox, Sink


def main() -> None:
    """Run until interrupted; the first line on stdout is the port."""
    parser = argparse.ArgumentParser(prog="campaign.demo.sink", description="Keep every message that arrives by SMTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--folder", type=Path, required=True, help="where the messages are kept")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments.host, arguments.port, arguments.folder))
    except KeyboardInterrupt:
        return


async def _serve(host: str, port: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    server = await Sink(Mailbox(folder)).listen(host, port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
