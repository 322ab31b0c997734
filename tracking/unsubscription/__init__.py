"""The way out: a page with one button, the one-click POST of mail programs (RFC 8058), and a choice of services."""
