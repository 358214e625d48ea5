"""The table of kicks: what is needed to render each of them again, and what the page shows of it."""

import uuid

from django.db import models
from django.utils import timezone

__all__ = ["SavedKick"]


class SavedKick(models.Model):
    """A kick that was made for a visitor. Audio is not kept: it is rendered when it is asked for."""

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
    #: What is rendered; see `neurdsp.kick.web.engine.pack`.
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
