"""``make demo``: the main job on real parts, from an empty folder to mails that arrived.

PostgreSQL and Redis are the project's own (or those of DATABASE_URL and REDIS_URL); web server, Celery worker and
scheduler are started as an operator starts them; mails go to an SMTP sink that keeps each as a file.
"""

import argparse
import os
import signal
import socket
import sys
from types import FrameType


def free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


def main() -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=1000, help="how many people get the delivery")
    parser.add_argument("--once", action="store_true", help="end after the delivery, with status 0 if all is well")
    options = parser.parse_args()
    if options.recipients < 1:
        parser.error("--recipients must be 1 or more")
    signal.signal(signal.SIGTERM, _interrupt)
    web_port = free_port(8000)
    os.environ["PUBLIC_URL"] = f"http://127.0.0.1:{web_port}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    from campaign.demo.processes import DemoProblem

    try:
        return _run(options.recipients, web_port, once=options.once)
    except DemoProblem as problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo has ended; its data stays under var/ for the next run.")
        return 0


def _run(recipients: int, web_port: int, *, once: bool) -> int:
    import django

    print("Starting PostgreSQL and Redis …", flush=True)
    django.setup()
    from campaign.demo.run import run

    return run(recipients, web_port, once=once)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
