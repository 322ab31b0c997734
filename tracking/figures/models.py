"""Sums over the logs, brought along in the background; every one of them can be counted again from the logs."""

from django.db import models


class Dimension(models.IntegerChoices):
    """By what events are added up. The numbers never change."""

    TOTAL = 0, "All"
    DOMAIN = 1, "Recipient domain"
    LINK = 2, "Link"
    HOUR = 3, "Hour"
    DEVICE = 4, "Device"
    BROWSER = 5, "Browser or mail program"
    SYSTEM = 6, "Operating system"
    VARIANT = 7, "Variant of an A/B test"


class EventTally(models.Model):
    """Events of a delivery under one key of a dimension.

    Keys: nothing for the total, the domain, ``content id:link number``, the hour in UTC as ``2026-11-27T16``, what the
    user agent says, the content id (every variant has a content of its own, and so has the rest that gets the winner).
    Columns without prefix count what people did; ``all_`` what people and machines did. The first three count events;
    ``opened``, ``clicked`` and ``viewed`` count messages. Clicks on links that lead out of the newsletter's own
    business (mirror page, opt-out, not tracked) are counted under their link alone.
    """

    delivery_id = models.BigIntegerField()
    dimension = models.PositiveSmallIntegerField(choices=Dimension)
    key = models.CharField(max_length=320, blank=True)
    opens = models.IntegerField(default=0)
    clicks = models.IntegerField(default=0)
    mirror_views = models.IntegerField(default=0)
    opened = models.IntegerField(default=0)
    clicked = models.IntegerField(default=0)
    viewed = models.IntegerField(default=0)
    all_opens = models.IntegerField(default=0)
    all_clicks = models.IntegerField(default=0)
    all_mirror_views = models.IntegerField(default=0)
    all_opened = models.IntegerField(default=0)
    all_clicked = models.IntegerField(default=0)
    all_viewed = models.IntegerField(default=0)
    archive = models.IntegerField(default=0, help_text="Events on copies in an archive.")
    trial = models.IntegerField(default=0, help_text="Events of seed addresses, or of a proof.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery_id", "dimension", "key"], name="event_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_dimension_display()} {self.key} of delivery {self.delivery_id}"


class LogTally(models.Model):
    """Messages of a delivery by what became of them: by domain (``hour`` is empty), or by hour (``domain`` is)."""

    delivery_id = models.BigIntegerField()
    domain = models.CharField(max_length=320, blank=True)
    hour = models.DateTimeField(null=True)
    state = models.SmallIntegerField()
    failure_type = models.CharField(max_length=7, blank=True)
    reason = models.SmallIntegerField(default=0)
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["delivery_id"], name="log_tally_by_delivery")]

    def __str__(self) -> str:
        return f"{self.count} messages of delivery {self.delivery_id}"


class LogCount(models.Model):
    """When the log of a delivery was added up, and what it looked like then."""

    delivery_id = models.BigIntegerField(primary_key=True)
    stamp = models.CharField(max_length=100, help_text="Counters of its parts; another stamp means other figures.")
    counted_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not again before: adding up takes a small share of the time.")
    text_only = models.IntegerField(default=0, help_text="Messages without HTML, which cannot report an open.")

    def __str__(self) -> str:
        return f"Log of delivery {self.delivery_id}"
