"""What deliveries tell those that they do not know."""

from django.dispatch import Signal

recorded = Signal()
"""Outcomes of a batch were written: ``outcomes`` is a sequence of :class:`deliveries.sending.outcomes.Outcome`. Sent by
each flush of each worker, inside the transaction that records, so a receiver is quick and keeps its own failures to
itself (a savepoint of its own around what may fail)."""

judged_again = Signal()
"""Failures of the past have another type or reason now, and no counter of a part changed: ``delivery_ids`` is a set."""

mirror_viewed = Signal()
"""Somebody or something looked at a mirror page: ``content_id``, ``message_id``, and ``environ`` of the request."""
