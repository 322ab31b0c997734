"""The ways in: how mails and events that came back reach :mod:`bounces.process`.

Each way in does the same three steps, in this order, for one mail at a time: take it, hand it to ``process`` (which
commits everything that follows, or nothing), and only then tell the other side that we have it. Whatever dies in
between, the other side still has the mail and brings it again, and ``process`` finds that it came before.

| way in | file | tells the other side by |
|---|---|---|
| IMAP mailbox | ``imap.py`` behind ``mailbox.py``, read by ``collect.py`` | moving, deleting or marking what is ours |
| POP3 mailbox | ``pop3.py`` behind ``mailbox.py``, read by ``collect.py`` | deleting what is ours |
| SMTP, LMTP | ``listener.py`` | answering 250 |
| files, pipes | ``files.py`` | its exit code |
| providers' webhooks | ``webhooks/`` | answering 200 |
"""
