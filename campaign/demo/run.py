"""A run of the demo from an empty folder to a report, step by step. Django must be set up before this is imported."""

import json
import shutil
import sys
import time
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from campaign.demo import people, story
from campaign.demo.processes import Processes
from campaign.demo.verify import Verification, verify
from deliveries.models import Delivery


def run(recipients: int, web_port: int, *, once: bool) -> int:
    """The exit status. Without ``once`` it comes back only when something was wrong; Ctrl-C ends it."""
    folder = settings.VAR_DIR / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mails, copies = folder / "mails", folder / "archive"
    say("Preparing the database …")
    call_command("migrate", verbosity=0)
    story.ensure_login()

    environment = {"PUBLIC_URL": settings.PUBLIC_URL, "DJANGO_SETTINGS_MODULE": "campaign.settings"}
    with Processes(folder / "logs", environment) as processes:
        _start(processes, web_port, mails, copies)
        _import(folder, recipients)

        say("Analysing the delivery …")
        delivery = story.create_delivery(f"Demo newsletter to {recipients:,} readers")
        story.analyse_and_wait(delivery, processes.check)
        started = time.monotonic()
        counts = _send(delivery, processes)
        seconds = time.monotonic() - started

        say("Waiting for the archive to have its copies …")
        story.wait_for_copies(delivery, processes.check)
        say("Comparing every received mail with its mirror page and its copy …")
        result = verify(delivery, mails, copies)
        report = {
            "recipients": recipients,
            "sent": counts["sent"],
            "failed": counts["failed"] + counts["in_doubt"],
            "seconds": round(seconds, 3),
            "dashboard_url": f"{settings.PUBLIC_URL}/admin/deliveries/delivery/{delivery.pk}/",
            "mirror_url": result.first_mirror_url,
        }
        (settings.VAR_DIR / "demo.json").write_text(json.dumps(report, indent=2) + "\n")
        holds = result.holds and counts["sent"] == delivery.to_deliver and result.arrived == counts["sent"]
        _tell(report, holds=holds, mails=mails, copies=copies)
        if not holds:
            _complain(result)
        if once or not holds:
            print("\n  The web server ends now; “make run” serves these pages again on http://127.0.0.1:8000.")
            return 0 if holds else 1
        print("\n  It stays up until Ctrl-C.")
        while True:
            processes.check()
            time.sleep(1)


def say(sentence: str) -> None:
    """Print it at once."""
    print(sentence, flush=True)


def _start(processes: Processes, web_port: int, mails: Path, copies: Path) -> None:
    """Everything an operator starts, and two servers that keep mails and copies; ready when it comes back."""
    say("Starting web server, worker, scheduler and an SMTP sink …")
    sink = processes.start("sink", "campaign.demo.sink", "--port", "0", "--folder", str(mails))
    vault = processes.start("archive", "campaign.demo.sink", "--port", "0", "--folder", str(copies))
    listen = f"127.0.0.1:{web_port}"
    processes.start("web", "gunicorn", "campaign.wsgi", "--bind", listen, "--workers", "2", "--threads", "4")
    worker = ("worker", "--queues", "sending,default", "--loglevel", "INFO")
    log = processes.start("worker", "celery", "--app", "campaign", *worker)
    processes.start("scheduler", "celery", "--app", "campaign", "beat", "--loglevel", "INFO")
    story.ensure_route(int(processes.wait_for_line(sink, r"(\d{2,5})")))
    story.ensure_archive(int(processes.wait_for_line(vault, r"(\d{2,5})")))
    processes.wait_for_page(f"{settings.PUBLIC_URL}/healthz")
    processes.wait_for_line(log, r"(ready)\.")


def _import(folder: Path, recipients: int) -> None:
    file = folder / "recipients.csv"
    people.write_csv(file, recipients)
    story.empty_list()
    call_command(
        "import_recipients", str(file), list=story.LIST, existing="update", rejects=str(folder / "rejects.csv")
    )


def _send(delivery: Delivery, processes: Processes) -> dict[str, int]:
    """Messages by what became of them."""
    columns = (TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("Sending", total=delivery.to_deliver)
        return story.confirm_and_follow(delivery, processes.check, lambda done: progress.update(bar, completed=done))


def _tell(report: dict[str, object], *, holds: bool, mails: Path, copies: Path) -> None:
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


def _complain(result: Verification) -> None:
    for name in ("missing", "repeated", "different", "without_header", "without_copy"):
        addresses = getattr(result, name)
        if addresses:
            print(f"  {name}: {len(addresses)} ({', '.join(addresses[:5])} …)", file=sys.stderr)
