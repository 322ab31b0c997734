"""Exact copies of accepted messages: a state of their own, attempts of their own, never in the delivery's way."""
