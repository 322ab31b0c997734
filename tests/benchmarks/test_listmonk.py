"""listmonk gets the same newsletter, in its own language."""

from benchmarks import letter
from benchmarks.listmonk import _in_go


def test_it_personalizes_the_same_values() -> None:
    for source in (letter.SUBJECT, letter.html(), letter.text()):
        translated = _in_go(source)

        assert translated.count("{{ .Subscriber.Attribs.") == source.count("{{ recipient.") > 0
        assert "recipient." not in translated
