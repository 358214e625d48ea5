"""The tables: kicks, with what is needed to render each again and what the page shows of it; and calls."""

import uuid

from django.db import models
from django.utils import timezone

__all__ = ["Job", "SavedKick"]


class SavedKick(models.Model):
    """A kick that was made for a visitor: a code, which is rendered when it is asked for, or audio."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: Who made it: ``user:`` and a key, or ``visitor:`` and what the session holds.
    owner = models.CharField(max_length=80)
    created = models.DateTimeField(default=timezone.now)
    favourite = models.BooleanField(default=False)
    #: Of which kick it is a variation.
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="variations"
    )
    keywords = models.JSONField(default=list)
    negative = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    guidance = models.FloatField()
    #: Seed and number of the call that made it; ``amount`` is set if that was a variation.
    seed = models.BigIntegerField()
    number = models.PositiveIntegerField()
    amount = models.FloatField(null=True, blank=True)
    #: Edits at rendering: semitones, a factor, seconds.
    tune = models.FloatField(default=0.0)
    decay = models.FloatField(default=1.0)
    seconds = models.FloatField(default=2.0)
    #: Whether a code is kept, which can be tuned and varied.
    editable = models.BooleanField(default=True)
    #: What is rendered; see `neurdsp.kick.web.rows.pack`.
    packed = models.BinaryField()
    #: The waveform for drawing; see `neurdsp.kick.web.engine.peaks_of`.
    peaks = models.BinaryField()

    class Meta:
        """Orders by age, the newest first, which is also how a visitor's kicks are listed."""

        ordering = ("-id",)
        indexes = (
            models.Index(fields=("owner", "-id"), name="neurdsp_kick_owner"),
            models.Index(fields=("owner", "favourite", "-id"), name="neurdsp_kick_favourite"),
        )

    def __str__(self) -> str:
        """Return the keywords and where the kick came from."""
        return f"{' '.join(self.keywords) or 'any kick'}, seed {self.seed}, number {self.number}"


class Job(models.Model):
    """A call for kicks that take longer than a request waits; see `neurdsp.kick.web.jobs`."""

    class State(models.TextChoices):
        """Where a job is."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.CharField(max_length=80)
    created = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    #: The request, as plain values, and the seed that was drawn if it named none.
    wishes = models.JSONField()
    seed = models.BigIntegerField()
    #: Kicks to make, and how many are made.
    n = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    #: How often it was begun; by whom, and when that process was last heard of.
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.CharField(max_length=16, blank=True)
    beat = models.DateTimeField(null=True, blank=True)
    #: Public ids of the kicks, once it is done.
    kicks = models.JSONField(default=list)
    #: Why it failed, in one line.
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        """Orders by age: the oldest is worked off first."""

        ordering = ("id",)
        indexes = (
            models.Index(fields=("state", "id"), name="neurdsp_kick_job_state"),
            models.Index(fields=("owner", "state"), name="neurdsp_kick_job_owner"),
        )

    def __str__(self) -> str:
        """Return what is made and how far it is."""
        return f"{self.n} kicks, {self.state}, {self.done} made"
