"""Mails that were made once and must come out the same for ever.

``python -m tests.golden`` writes the files of a new version; files that exist are never written again.
"""
