"""Figures: what the delivery log and the event log add up to, kept so that no page ever counts a log."""
