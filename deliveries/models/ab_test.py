"""A/B tests: several variants of a delivery on a random share of its target, the best of them to the rest."""

import copy
from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from deliveries.models.content import Content
from deliveries.models.delivery import Delivery

LETTERS = ("A", "B", "C", "D", "E")


class Measure(models.TextChoices):
    """What makes a variant the better one. Each counts people, once each, and leaves machines out."""

    OPENS = "opens", "Opens: who opened it, of those it reached"
    CLICKS = "clicks", "Clicks: who clicked, of those it reached"
    REACTIVITY = "reactivity", "Reactivity: who clicked, of those who opened it"
    OPT_OUTS = "opt_outs", "Fewest opt-outs: who did not unsubscribe, of those it reached"


class Unsure(models.TextChoices):
    """What happens when the time is over and no variant is the best with the confidence that was asked for."""

    ASK = "ask", "Ask a person: the rest waits until somebody chooses"
    WAIT = "wait", "Keep waiting until the figures are clear"
    FIRST = "first", "Send variant A"


class AbTest(models.Model):
    """The test of one delivery. It is edited with the delivery, frozen by its analysis, and ends with one winner.

    ``rest_content_id`` is the id of the content that the rest of the messages name from the beginning. There is no such
    content until the winner is chosen: it is written then, as a copy of the winner's, and their parts are opened in the
    same transaction.
    """

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="ab_test")
    share = models.FloatField(
        "share of the target that tests, in %",
        default=20,
        validators=[MinValueValidator(0.1), MaxValueValidator(90)],
        help_text="Drawn at random, and divided equally among the variants. The rest gets the winner.",
    )
    measure = models.CharField(max_length=10, choices=Measure, default=Measure.CLICKS)
    wait = models.DurationField(
        "time to wait",
        default=timedelta(days=1),
        validators=[MinValueValidator(timedelta(minutes=1), "Write at least 1m.")],
    )
    by_itself = models.BooleanField("the winner is chosen by itself", default=False)
    confidence = models.FloatField(
        "least confidence, in %",
        default=95,
        validators=[MinValueValidator(50), MaxValueValidator(99.9)],
    )
    unsure = models.CharField(max_length=5, choices=Unsure, default=Unsure.ASK)

    rest_content_id = models.BigIntegerField(null=True, editable=False)
    last_test_id = models.BigIntegerField(null=True, editable=False, help_text="The last message that tests.")
    tested_at = models.DateTimeField(null=True, editable=False, help_text="When every test message had been tried.")
    looked_at = models.DateTimeField(null=True, editable=False, help_text="When its figures were last judged.")
    asked_at = models.DateTimeField(null=True, editable=False, help_text="When a person was asked to choose.")
    winner = models.ForeignKey(
        "deliveries.Variant", on_delete=models.RESTRICT, null=True, editable=False, related_name="+"
    )
    chosen_at = models.DateTimeField(null=True, editable=False)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    chosen_confidence = models.FloatField(null=True, editable=False, help_text="From 0 to 1, when it was chosen.")

    class Meta:
        verbose_name = "A/B test"

    def __str__(self) -> str:
        return f"A/B test of delivery {self.delivery_id}"


class Variant(models.Model):
    """One of the versions that are tested. What it leaves empty is the delivery's own; A is the delivery as it is."""

    test = models.ForeignKey(AbTest, on_delete=models.CASCADE, related_name="variants")
    letter = models.CharField(max_length=1, choices=[(letter, letter) for letter in LETTERS])
    subject = models.CharField(max_length=500, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    html = models.TextField("HTML content", blank=True)
    text = models.TextField("text content", blank=True)
    content = models.ForeignKey(
        Content, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", help_text="As it was frozen."
    )

    class Meta:
        ordering = ["letter"]
        constraints = [models.UniqueConstraint(fields=["test", "letter"], name="variant_letter_unique")]

    def __str__(self) -> str:
        return f"Variant {self.letter}"

    @property
    def differs(self) -> bool:
        """It says something else than the delivery."""
        return bool(self.subject or self.sender_name or self.html.strip() or self.text.strip())

    def of(self, delivery: Delivery) -> Delivery:
        """The delivery as this variant has it; never to be saved.

        Another HTML content brings its own text content: the delivery's belongs to the other one.
        """
        version = copy.copy(delivery)
        version.subject = self.subject or delivery.subject
        version.sender_name = self.sender_name or delivery.sender_name
        if self.html.strip():
            version.html, version.text = self.html, self.text
        elif self.text.strip():
            version.text = self.text
        return version
