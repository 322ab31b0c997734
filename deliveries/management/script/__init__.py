"""The acts of ``manage.py delivery``: each file has what an act takes on the command line, and what it does."""
