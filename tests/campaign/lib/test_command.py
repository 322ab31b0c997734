"""Wrong calls of management commands."""

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from bounces.sources.files import Exit
from campaign.lib import command

OURS = {name: app for name, app in get_commands().items() if app in {"bounces", "deliveries", "recipients", "tracking"}}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["archive_again"], "Missing: DELIVERY. Write: ./manage.py archive_again DELIVERY. All options:"),
        (["archive_again", "x"], "DELIVERY is a whole number, not “x”. Write: "),
        (["archive_again", "it's"], "DELIVERY is a whole number, not “it's”. Write: "),
        (["archive_again", "5", "--nope"], "“--nope” means nothing here. Leave it out. Write: "),
        (["qualify"], "Missing: PATH. Write: ./manage.py qualify PATH. All options: ./manage.py qualify --help"),
        (["qualify", "-", "--envelope-to"], "--envelope-to needs a value. Write: "),
        (["privacy"], "Missing: act, address. Write: ./manage.py privacy export|erase address."),
        (["privacy", "sell", "a@example.com"], "act cannot be “sell”. Choose one of: export, erase. Write:"),
        (["check_domain", "example.com", "--timeout", "-1"], "--timeout is a number of seconds, not “-1”. Write: "),
        (["check_domain", "example.com", "--timeout", "nan"], "--timeout is a number of seconds, not “nan”. Write: "),
        (["dkim_key", "--list", "--show"], "--show and --list cannot go together. All options: "),
    ],
)
def test_a_wrong_call_is_answered_in_a_sentence_that_says_how_to_mend_it(
    call: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*call)
    assert str(refused.value).startswith(sentence)

    with pytest.raises(SystemExit) as ended:
        load_command_class(OURS[call[0]], call[0]).run_from_argv(["/srv/manage.py", *call])
    assert ended.value.code == (Exit.TEMPORARY if call[0] == "qualify" else command.WRONG_CALL)
    assert capsys.readouterr().err.startswith(sentence)


def test_every_command_answers_so() -> None:
    assert {"archive_again", "qualify", "delivery", "import_recipients", "receive_bounces"} <= OURS.keys()
    assert [name for name in OURS if not isinstance(load_command_class(OURS[name], name), command.Command)] == []
