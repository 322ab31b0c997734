"""Logging in by OAuth 2, for routes and mailboxes alike.

`login.py` is what an operator enters, `endpoint.py` asks for a token, `answer.py` understands what comes back,
`tokens.py` keeps it for every process, `sasl.py` puts it into the words of the mail protocols.
"""
