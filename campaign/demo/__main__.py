"""``make demo``: the main job on real parts, from an empty folder to mails that arrived.

PostgreSQL and Redis are the project's own (or those of DATABASE_URL and REDIS_URL); web server, Celery worker and
scheduler are started as an operator starts them; mails go to an SMTP sink that keeps each as a file.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
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

    _say("Starting PostgreSQL and Redis …")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from campaign.demo import people, story
    from campaign.demo.processes import Processes
    from campaign.demo.verify import verify

    folder = settings.VAR_DIR / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _say("Preparing the database …")
    call_command("migrate", verbosity=0)
    story.ensure_login()

    environment = {"PUBLIC_URL": settings.PUBLIC_URL, "DJANGO_SETTINGS_MODULE": "campaign.settings"}
    with Processes(folder / "logs", environment) as processes:
        _say("Starting web server, worker, scheduler and an SMTP sink …")
        mails = folder / "mails"
        sink = processes.start("sink", "campaign.demo.sink", "--port", "0", "--folder", str(mails))
        copies = folder / "archive"
        vault = processes.start("archive", "campaign.demo.sink", "--port", "0", "--folder", str(copies))
        listen = f"127.0.0.1:{web_port}"
        processes.start("web", "gunicorn", "campaign.wsgi", "--bind", listen, "--workers", "2", "--threads", "4")
        worker = ("worker", "--concurrency", "2", "--queues", "sending,default", "--loglevel", "INFO")
        log = processes.start("worker", "celery", "--app", "campaign", *worker)
        processes.start("scheduler", "celery", "--app", "campaign", "beat", "--loglevel", "INFO")
        story.ensure_route(int(processes.wait_for_line(sink, r"(\d{2,5})")))
        story.ensure_archive(int(processes.wait_for_line(vault, r"(\d{2,5})")))
        processes.wait_for_page(f"{settings.PUBLIC_URL}/healthz")
        processes.wait_for_line(log, r"(ready)\.")

        csv_file = folder / "recipients.csv"
        people.write_csv(csv_file, recipients)
        story.empty_list()
        call_command(
            "import_recipients", str(csv_file), list=story.LIST, existing="update", rejects=str(folder / "rejects.csv")
        )

        _say("Analysing the delivery …")
        delivery = story.create_delivery(f"Demo newsletter to {recipients:,} readers")
        story.analyse_and_wait(delivery, processes.check)

        started = time.monotonic()
        columns = (TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns) as progress:
            bar = progress.add_task("Sending", total=delivery.to_deliver)
            counts = story.confirm_and_follow(
                delivery, processes.check, lambda done: progress.update(bar, completed=done)
            )
        seconds = time.monotonic() - started

        _say("Waiting for the archive to have its copies …")
        story.wait_for_copies(delivery, processes.check)
        _say("Comparing every received mail with its mirror page and its copy …")
        result = verify(delivery, mails, copies)
        dashboard_url = f"{settings.PUBLIC_URL}/admin/deliveries/delivery/{delivery.pk}/"
        report = {
            "recipients": recipients,
            "sent": counts["sent"],
            "failed": counts["failed"] + counts["in_doubt"],
            "seconds": round(seconds, 3),
            "dashboard_url": dashboard_url,
            "mirror_url": result.first_mirror_url,
        }
        (settings.VAR_DIR / "demo.json").write_text(json.dumps(report, indent=2) + "\n")
        holds = result.holds and counts["sent"] == delivery.to_deliver and result.arrived == counts["sent"]
        _report(report, holds=holds, mails=mails, copies=copies)
        if not holds:
            _complain(result)
        if once or not holds:
            return 0 if holds else 1
        print("\n  It stays up until Ctrl-C.")
        while True:
            processes.check()
            time.sleep(1)


def _report(report: dict[str, object], *, holds: bool, mails: Path, copies: Path) -> None:
    verdict = (
        "Every mail arrived, every mirror page shows it, and the archive has it to the octet."
        if holds
        else "Something is wrong, see below."
    )
    print(
        f"\n  {report['sent']} of {report['recipients']} sent in {report['seconds']} s. {verdict}\n\n"
        f"  Delivery        {report['dashboard_url']}\n"
        f"  Login           demo / demo\n"
        f"  A mirror page   {report['mirror_url']}\n"
        f"  Received mails  {mails}\n"
        f"  Archived copies {copies}"
    )


def _complain(result: object) -> None:
    for name in ("missing", "repeated", "different", "without_header", "without_copy"):
        addresses = getattr(result, name)
        if addresses:
            print(f"  {name}: {len(addresses)} ({', '.join(addresses[:5])} …)", file=sys.stderr)


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
