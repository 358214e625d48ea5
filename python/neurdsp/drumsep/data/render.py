"""Mixtures rendered from a bank, with the exact stems that they are the sum of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from neurdsp.drumsep.data import effects
from neurdsp.drumsep.data.bank import Bank, BankKit
from neurdsp.drumsep.data.config import RenderConfig
from neurdsp.drumsep.data.leftovers import draw_leftover
from neurdsp.drumsep.data.players import Event, Player, Windows, plays
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.roles import STEM_OF, STEMS
from neurdsp.errors import ParameterError

__all__ = ["Clip", "Renderer"]

Array = NDArray[np.float32]
_N_STEMS = len(STEMS)


@dataclass(frozen=True)
class Clip:
    """A mixture and its parts.

    Parameters
    ----------
    stems
        ``(n_stems + 1, channels, n_samples)``, the residual last.
    mixture
        ``(channels, n_samples)``: the sum of the stems, unless an MP3 encoder came over it.
    """

    stems: Array
    mixture: Array


class Renderer:
    """Renders clips of one split; a clip depends on its number and the seed alone.

    Parameters
    ----------
    bank
        Recordings and performances.
    split
        ``train``, ``validation`` or ``test``; kits and performances come from it alone.
    config
        Levels and chances.
    seed
        Of all that is drawn.

    Raises
    ------
    ConfigError
        If the bank has nothing of the split.

    Examples
    --------
    >>> clip = Renderer(bank, "train").clip(0, seconds=2.0, channels=2)  # doctest: +SKIP
    >>> clip.stems.shape  # doctest: +SKIP
    (6, 2, 88200)
    """

    def __init__(self, bank: Bank, split: str, config: RenderConfig | None = None, *, seed: int = 0) -> None:
        self._kits = bank.of(split)
        self._windows = Windows(bank.performances[split])
        self._config = config or RenderConfig()
        self._seed = seed
        # Recorded kits come up three times as often as synthesised ones.
        often = [kit for kit in self._kits for _ in range(1 if kit.synthesised else 3)]
        self._kits_of = [[kit for kit in often if plays(kit, stem)] for stem in range(_N_STEMS + 1)]
        self._whole = [kit for kit in often if sum(plays(kit, stem) for stem in range(_N_STEMS)) >= 3]
        if not self._whole:
            raise ParameterError(f"the split '{split}' has no kit with three of the stems; add kits to it")
        timbre = self._config.timbre
        self._changes = max(timbre.borrow, timbre.layer, timbre.change) > 0
        self._spectra: dict[int, effects.Spectrum] = {}

    def clip(self, number: int, *, seconds: float, channels: int = 1, kit: int | None = None) -> Clip:
        """Render a clip.

        Parameters
        ----------
        number
            Which one.
        seconds
            Its duration.
        channels
            1 or 2.
        kit
            Number of the kit, counted around, instead of one at random.

        Returns
        -------
        Clip
        """
        rng = np.random.default_rng([self._seed, number, channels])
        config, n_samples = self._config, round(seconds * SAMPLE_RATE)
        if n_samples not in self._spectra:
            self._spectra[n_samples] = effects.Spectrum.of(n_samples)
        spectrum = self._spectra[n_samples]
        main = self._whole[(int(rng.integers(len(self._whole))) if kit is None else kit) % len(self._whole)]
        swap, narrow = rng.random() < config.swap_kits, rng.random() < config.narrow
        exponent = float(rng.uniform(0.7, 2.0)) if config.swap_kits else 1.0
        events = self._windows.any(rng, seconds)
        others = self._windows.any(rng, seconds) if rng.random() < config.two_performances else events
        room = effects.draw_room(rng, spectrum, channels) if rng.random() < config.room else None
        levels = np.array(config.level_db) + np.array(config.spread_db) * rng.standard_normal(6)
        stems = np.zeros((_N_STEMS + 1, channels, n_samples), np.float32)
        for stem in range(_N_STEMS):
            own = self._events(rng, events if rng.random() < 0.6 else others, stem, seconds)
            if not own or rng.random() < config.silent or not self._kits_of[stem]:
                continue
            player = Player(
                self._kit(rng, main, stem, swap=swap),
                rng,
                channels=channels,
                narrow=narrow,
                exponent=exponent,
                human=config.swap_kits > 0,
                timbre=config.timbre if self._changes else None,
                others=self._kits_of[stem],
            )
            played = self._pitched(rng, player, own, stem, n_samples)
            stems[stem] = self._treated(rng, played, spectrum, room, float(levels[stem]))
        if rng.random() < config.residual:
            found = draw_leftover(rng, self._kits_of[_N_STEMS], n_samples, channels)
            if found is not None:
                stems[_N_STEMS] = self._treated(rng, found, spectrum, room, float(levels[_N_STEMS]))
        return self._finished(rng, stems)

    def _events(
        self, rng: np.random.Generator, events: list[Event], stem: int, seconds: float
    ) -> list[Event]:
        """Return the strokes of a stem; for one that is missing, often those of another window."""
        own = [event for event in events if STEM_OF[event.role] == stem]
        if not any(event.time_s > -0.3 for event in own) and rng.random() < self._config.fill:
            around = self._windows.around(rng, stem, seconds)
            own = [event for event in around if STEM_OF[event.role] == stem]
        return own

    def _kit(self, rng: np.random.Generator, main: BankKit, stem: int, *, swap: bool) -> BankKit:
        candidates = self._kits_of[stem]
        if swap or not plays(main, stem):
            return candidates[rng.integers(len(candidates))]
        return main

    def _pitched(
        self, rng: np.random.Generator, player: Player, events: list[Event], stem: int, n_samples: int
    ) -> Array:
        """Play a stem, perhaps at another pitch: slower or faster, with the strokes at their times."""
        if rng.random() >= self._config.pitch:
            return player.stem(events, n_samples, SAMPLE_RATE)
        most = self._config.pitch_semitones[stem]
        rate = SAMPLE_RATE * 2 ** (rng.uniform(-most, most) / 12)
        raw = player.stem(events, int(n_samples * rate / SAMPLE_RATE) + 8, rate)
        played = np.zeros((len(raw), n_samples), np.float32)
        resampled = soxr.resample(raw.T, rate, SAMPLE_RATE, "LQ").T[:, :n_samples]
        played[:, : resampled.shape[-1]] = resampled
        return played

    def _treated(
        self,
        rng: np.random.Generator,
        x: Array,
        spectrum: effects.Spectrum,
        room: effects.Room | None,
        level_db: float,
    ) -> Array:
        """Return a stem with its effects, at its level."""
        config, peak = self._config, float(np.abs(x).max())
        if peak < 1e-6:
            return np.zeros_like(x)
        if rng.random() < config.saturate:
            x = effects.saturated(x, rng.uniform(0, 14))
        response: NDArray[Any] | None = None
        if config.room > 0:
            response = effects.equaliser(rng, spectrum)
        if room is not None and response is not None:
            if rng.random() < config.own_room:
                room = effects.draw_room(rng, spectrum, len(x))
            wet = np.float32(10 ** (rng.uniform(-28, -4) / 20))
            response = response * (1 + wet * room.response)
        if rng.random() < config.second_microphone and response is not None:
            delay = rng.uniform(0.0003, 0.01) * SAMPLE_RATE
            angle = np.arange(len(spectrum.octaves), dtype=np.float32) * np.float32(
                -2 * np.pi * delay / spectrum.n_fft
            )
            other = np.float32(rng.uniform(-0.4, 0.4)) * effects.equaliser(rng, spectrum)
            response = response * (1 + other * np.exp(1j * angle).astype(np.complex64))
        if response is not None:
            x = spectrum.filtered(x, response)
        return x * np.float32(10 ** (level_db / 20) * peak / (np.abs(x).max() + 1e-9))

    def _finished(self, rng: np.random.Generator, stems: Array) -> Clip:
        """Compress and scale the stems alike; encode the mixture, perhaps."""
        config = self._config
        if rng.random() < config.compress:
            stems = stems * effects.bus_gain(rng, stems.sum(axis=0))
        peak = np.abs(stems.sum(axis=0)).max() + 1e-9
        lowest = config.quietest_db
        top_db = rng.uniform(lowest, 0) if config.swap_kits else lowest
        stems = stems * np.float32(10 ** (top_db / 20) / max(peak, 1e-4))
        mixture = stems.sum(axis=0)
        if rng.random() < config.mp3:
            mixture = effects.coded(mixture, float(rng.uniform(0.1, 0.95)))
        return Clip(stems, mixture)
