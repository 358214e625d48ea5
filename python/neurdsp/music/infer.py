"""The music networks together, as musicians use them. Needs no torch."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt

from neurdsp.errors import ModelFileError
from neurdsp.midi import MidiFile
from neurdsp.music.config import NAMES
from neurdsp.music.dynamics.reshape import Reshaped, reshape_midi
from neurdsp.music.emotion.listen import Mood, hear
from neurdsp.music.groove.humanise import Feel, Humanised, humanise_midi
from neurdsp.music.harmony.harmonise import Harmonised, PlanSettings, harmonise_midi
from neurdsp.music.lookup import DEFAULT, networks_of
from neurdsp.music.melody.continuation import Continued, ContinueSettings, continue_midi
from neurdsp.music.network import MusicNetwork
from neurdsp.music.worker import MusicWorker

__all__ = ["MusicPipeline"]


class MusicPipeline:
    """The networks by their names, each loaded when it is first asked for.

    Made by `load`. What needs a network that is missing says so; `humanise` then takes the feel from the
    reference alone.

    Attributes
    ----------
    paths : mapping
        The model file of each network that there is.

    Examples
    --------
    >>> from neurdsp.midi import read_midi
    >>> pipeline = MusicPipeline.load("default")
    >>> played = pipeline.humanise(read_midi("beat.mid"), Feel(amount=0.8))  # doctest: +SKIP
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = dict(paths)
        self._loaded: dict[str, MusicNetwork] = {}

    @classmethod
    def load(cls, name_or_folder: str | os.PathLike[str] = DEFAULT) -> Self:
        """Find the networks of a folder, or those that come with neurdsp.

        Parameters
        ----------
        name_or_folder
            ``default``, or a folder with ``groove.safetensors`` and so on; some may be missing.

        Raises
        ------
        ModelFileError
            If there is no such folder, or it holds no network.
        """
        return cls(networks_of(name_or_folder))

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the networks that there are not."""
        return tuple(name for name in NAMES if name not in self.paths)

    def network(self, name: str) -> MusicNetwork:
        """Return a network by its name.

        Raises
        ------
        ModelFileError
            If it is missing or damaged, or the file holds another network.
        """
        if name not in self.paths:
            found = ", ".join(self.paths) or "none"
            raise ModelFileError(
                f"the network '{name}' is missing (there are: {found}); give a folder that has it"
            )
        if name not in self._loaded:
            network = MusicNetwork(self.paths[name])
            if network.name != name:
                raise ModelFileError(
                    f"'{self.paths[name]}' holds the network {network.name}; rename the file"
                )
            self._loaded[name] = network
        return self._loaded[name]

    def __getitem__(self, name: str) -> MusicNetwork:
        return self.network(name)

    def worker(
        self,
        *,
        inline: bool = False,
        offline: bool = False,
        capacity: int = 64,
        deadline_ms: float = 20.0,
        latest: bool = False,
    ) -> MusicWorker:
        """Run all networks on a worker with a monitor; see `neurdsp.music.worker.MusicWorker`."""
        return MusicWorker(
            list(self.paths.values()),
            inline=inline,
            offline=offline,
            capacity=capacity,
            deadline_ms=deadline_ms,
            latest=latest,
        )

    def models(self) -> list[dict[str, Any]]:
        """Return name, precision, parameters and bytes of each network, and what was measured at export."""
        rows = []
        for name in self.paths:
            network = self.network(name)
            rows.append(
                {
                    "name": name,
                    "parameters": network.parameters,
                    "bytes": self.paths[name].stat().st_size,
                    "precision": network.precision,
                    "metrics": network.metrics,
                }
            )
        return rows

    def humanise(
        self,
        midi: MidiFile,
        feel: Feel | None = None,
        *,
        reference: MidiFile | None = None,
        channel: int = 10,
    ) -> Humanised:
        """Play the drums of a file with a feel; see `neurdsp.music.groove.humanise.humanise_midi`."""
        network = self.network("groove") if "groove" in self.paths else None
        return humanise_midi(midi, network, feel or Feel(), reference=reference, channel=channel)

    def dynamics(
        self, midi: MidiFile, *, valence: float = 0.0, arousal: float = 0.0, amount: float = 1.0
    ) -> Reshaped:
        """Reshape the velocities of a file; see `neurdsp.music.dynamics.reshape.reshape_midi`."""
        return reshape_midi(midi, self.network("dynamics"), valence=valence, arousal=arousal, amount=amount)

    def emotion(self, audio: npt.ArrayLike, sample_rate: float) -> Mood:
        """Hear cue-model valence and arousal; see `neurdsp.music.emotion.listen.hear`."""
        return hear(self.network("emotion"), audio, sample_rate)

    def harmonise(
        self,
        midi: MidiFile,
        *,
        settings: PlanSettings | None = None,
        key: str | None = None,
        locks: Mapping[int, str] | None = None,
        track: int | None = None,
        velocity: int = 70,
        channel: int = 1,
    ) -> Harmonised:
        """Find chords for a melody; see `neurdsp.music.harmony.harmonise.harmonise_midi`."""
        return harmonise_midi(
            midi,
            self.network("harmony").step,
            settings=settings,
            key=key,
            locks=locks,
            track=track,
            velocity=velocity,
            channel=channel,
        )

    def continue_melody(self, midi: MidiFile, settings: ContinueSettings | None = None) -> Continued:
        """Continue a melody; see `neurdsp.music.melody.continuation.continue_midi`."""
        network = self.network("melody")
        return continue_midi(midi, network, settings=settings, metadata=network.metadata)
