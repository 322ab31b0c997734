"""SMTP without a socket: bytes in, bytes out (RFC 5321, RFC 2920). Imports neither clock nor network."""
