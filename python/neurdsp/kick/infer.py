"""Generating kicks from keywords. Needs no torch."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.audio import check_audio
from neurdsp.errors import NeurdspWarning, ParameterError, UnsupportedModelError
from neurdsp.kick.code import KickCode
from neurdsp.kick.counted import kick_key
from neurdsp.kick.fit import fit
from neurdsp.kick.kick import Kick, blend, check_range, render_kicks, shift
from neurdsp.kick.lookup import find_generator
from neurdsp.kick.mel.infer import ARCHITECTURE as MEL_ARCHITECTURE
from neurdsp.kick.mel.infer import MelSampler, threshold_of
from neurdsp.modelfile.files import read

__all__ = ["Kick", "KickGenerator"]

Floats = NDArray[np.float32]
ARCHITECTURE = "kick.hybrid"
MAX_KICKS = 100_000
MAX_SEED = 2**63 - 1


class KickGenerator:
    """Makes kicks from keywords and a seed.

    Made by `load`. The same seed gives the same bytes, whatever the number of kicks and of threads.

    A file of the preset ``seed`` (`kick.mel_diffusion`) makes audio from words. Only one of the preset
    ``fast`` (`kick.hybrid`), such as the default, makes kicks that can be edited, tuned and varied.

    Attributes
    ----------
    path : Path
        The model file.
    keywords : dict of str
        The vocabulary: each word, and what it measures.
    attributes : dict of str
        The sliders: each name, and what it moves. Values are from 0 to 1.

    Examples
    --------
    >>> generator = KickGenerator.load()  # doctest: +SKIP
    >>> kicks = generator.generate(["deep", "punchy"], n=16, seed=7)  # doctest: +SKIP
    >>> kicks.shape  # doctest: +SKIP
    (16, 88200)
    """

    def __init__(
        self, engine: "_core.KickHybrid | MelSampler", config: Mapping[str, object], path: Path
    ) -> None:
        self._any_engine, self._config, self.path = engine, config, path
        if isinstance(engine, MelSampler):
            self._words, self._sliders = engine.words, []
            self.keywords = dict.fromkeys(engine.words, "a word of the kicks that it was trained on")
            self.attributes: dict[str, str] = {}
            return
        self._words = [str(each["name"]) for each in _entries(config, "keywords")]
        self._sliders = _entries(config, "attributes")
        self.keywords = {str(each["name"]): str(each["meaning"]) for each in _entries(config, "keywords")}
        self.attributes = {str(each["name"]): str(each["meaning"]) for each in self._sliders}

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str] = "default") -> Self:
        """Load a generator.

        Parameters
        ----------
        name_or_path
            A model file, or the name of a generator that comes with neurdsp.

        Raises
        ------
        ModelFileError
            If there is no such file, it is damaged, or holds a model of another kind.
        """
        path = find_generator(name_or_path)
        file = read(path)
        if file.architecture not in (ARCHITECTURE, MEL_ARCHITECTURE):
            raise UnsupportedModelError(
                f"'{path}' holds a model of architecture {file.architecture!r}; give one of {ARCHITECTURE!r} "
                f"or {MEL_ARCHITECTURE!r}"
            )
        weights = {name: tensor for name, tensor in file.tensors.items() if not name.startswith("parity.")}
        if file.architecture == MEL_ARCHITECTURE:
            return cls(MelSampler(file.metadata, weights, file.config), file.config, path)
        return cls(_core.KickHybrid(dict(file.metadata), weights), file.config, path)

    @property
    def is_editable(self) -> bool:
        """Whether its kicks are codes, which can be tuned, edited and varied."""
        return not isinstance(self._any_engine, MelSampler)

    @property
    def _engine(self) -> "_core.KickHybrid":
        if isinstance(self._any_engine, MelSampler):
            raise ParameterError(
                f"'{self.path}' makes spectrograms, not kicks that can be edited; use its generate() alone, "
                "or a generator of the preset fast"
            )
        return self._any_engine

    def generate(
        self,
        keywords: Sequence[str] = (),
        *,
        negative: Sequence[str] = (),
        n: int = 1,
        first: int = 0,
        seed: int = 0,
        length: int | None = None,
        tune: float = 0.0,
        decay: float = 1.0,
        guidance: float = 2.0,
        steps: int | None = None,
        sample_rate: int = 44_100,
        attributes: Mapping[str, float] | None = None,
        threads: int = 1,
    ) -> Floats:
        """Generate kicks as audio.

        Parameters
        ----------
        keywords
            Words of the vocabulary; none for any kick. A word that is unknown is left out with a warning.
        negative
            Words that should not hold.
        n
            How many kicks, 0 to 100,000.
        first
            Number of the first kick, from 0: the kicks are ``first`` to ``first + n - 1`` of the seed.
        seed
            Kick k of a seed is the same however many are asked for.
        length
            Samples, 64 to 10 s; by default 2 s.
        tune
            Semitones, -48 to 48.
        decay
            Factor on the duration, 0.1 to 10.
        guidance
            How strictly the words are followed, 1 to 8.
        steps
            Steps of the sampler. The default generator takes one; one of the preset ``seed`` takes 20 unless
            you say otherwise.
        sample_rate
            In Hz, 8,000 to 192,000.
        attributes
            Sliders by name, from 0 to 1.
        threads
            Threads to use.

        Returns
        -------
        ndarray of float32
            ``(n, length)``, each peaking at -1 dBFS, with 0 as the last sample.

        Raises
        ------
        ParameterError
            If a value is out of range.
        """
        if isinstance(self._any_engine, MelSampler):
            self._check_request(n, first, seed, guidance, threads)
            if tune or decay != 1 or attributes:
                raise ParameterError(
                    f"'{self.path}' makes spectrograms, so tune, decay and attributes do not move it; leave "
                    "them out, or use a generator of the preset fast"
                )
            asked, unwanted = self._known(keywords), self._known(negative)
            self._wishes(asked, unwanted)
            return self._any_engine.generate(
                asked,
                unwanted,
                n=n,
                first=first,
                seed=seed,
                length=length,
                guidance=guidance,
                steps=steps,
                sample_rate=sample_rate,
                threads=threads,
            )
        kicks = self.generate_kicks(
            keywords,
            negative=negative,
            n=n,
            first=first,
            seed=seed,
            guidance=guidance,
            steps=steps,
            attributes=attributes,
            threads=threads,
        )
        return render_kicks(
            kicks, sample_rate=sample_rate, length=length, tune=tune, decay=decay, threads=threads
        )

    def generate_kicks(
        self,
        keywords: Sequence[str] = (),
        *,
        negative: Sequence[str] = (),
        n: int = 1,
        first: int = 0,
        seed: int = 0,
        guidance: float = 2.0,
        steps: int | None = None,
        attributes: Mapping[str, float] | None = None,
        threads: int = 1,
    ) -> list[Kick]:
        """Generate kicks that can be edited; the parameters are those of `generate`.

        Raises
        ------
        ParameterError
            If a value is out of range.
        """
        self._check_request(n, first, seed, guidance, threads)
        engine = self._engine
        if steps not in (None, 1):
            raise ParameterError(f"steps is {steps!r}, but this generator takes one step; leave it out")
        asked, unwanted = self._known(keywords), self._known(negative)
        wishes, sliders = self._wishes(asked, unwanted), self._slider_values(attributes or {})
        keys = [kick_key(seed, k) for k in range(first, first + n)]
        if not keys:
            return []
        noise, _, codes = engine.generate(keys, wishes, sliders, float(guidance), int(threads))
        given = tuple(sorted((attributes or {}).items()))
        return [
            Kick(KickCode.from_flat(code), key, asked, one, unwanted, float(guidance), given)
            for key, one, code in zip(keys, noise, codes, strict=True)
        ]

    @staticmethod
    def _check_request(n: int, first: int, seed: int, guidance: float, threads: int) -> None:
        _whole("n", n, 0, MAX_KICKS)
        _whole("first", first, 0, MAX_KICKS)
        _whole("seed", seed, 0, MAX_SEED)
        check_range("guidance", guidance, 1, 8)
        check_range("threads", threads, 1, 1024)

    def vary(self, kick: Kick, amount: float = 0.3, n: int = 1, seed: int = 0) -> list[Kick]:
        """Return variations of a kick.

        A generated kick varies in what it was generated from, so its words still hold. Any other kick varies
        in its pitch, glide, decay, click and noise.

        Parameters
        ----------
        kick
            A kick of `generate_kicks`, `resynthesise`, `interpolate` or `Kick.edit`.
        amount
            From 0, the kick itself, to 1, hardly related.
        n
            How many.
        seed
            Variation k of a seed is the same however many are asked for.

        Raises
        ------
        ParameterError
            If a value is out of range.
        """
        check_range("amount", amount, 0, 1)
        _whole("n", n, 0, MAX_KICKS)
        _whole("seed", seed, 0, MAX_SEED)
        if kick.noise is None or amount == 0:
            return [shift(kick, amount, seed, k) for k in range(n)]
        wishes = self._wishes(kick.keywords, kick.negative)
        sliders = self._slider_values(dict(kick.attributes))
        made = []
        for k in range(n):
            key = kick_key(seed, k)
            fresh = self._engine.noise(key, 1)
            noise = np.float32(np.sqrt(1 - amount**2)) * kick.noise[None] + np.float32(amount) * fresh
            noise = np.ascontiguousarray(noise, np.float32)
            code = self._engine.decode(self._engine.latents(noise, wishes, sliders, kick.guidance))[0]
            made.append(replace(kick, code=KickCode.from_flat(code), key=key, noise=noise[0]))
        return made

    def interpolate(self, a: Kick, b: Kick, n: int = 8) -> list[Kick]:
        """Return kicks on the way from one to another, both included.

        Parameters
        ----------
        a, b
            The ends.
        n
            How many, 2 to 100,000.

        Raises
        ------
        ParameterError
            If ``n`` is out of range.
        """
        _whole("n", n, 2, MAX_KICKS)
        return [blend(a, b, k / (n - 1)) for k in range(n)]

    def resynthesise(self, audio: NDArray[np.floating], sample_rate: int, *, seed: int = 0) -> Kick:
        """Fit a code to a recording of a kick, so that it can be edited and varied.

        Parameters
        ----------
        audio
            ``(samples,)`` or ``(channels, samples)``.
        sample_rate
            In Hz.
        seed
            Of the noise, which is not that of the recording.

        Raises
        ------
        ParameterError
            If the audio is silent, not finite or of another shape.
        """
        _whole("seed", seed, 0, MAX_SEED)
        return Kick(fit(check_audio(audio), sample_rate), kick_key(seed, 0))

    @property
    def thresholds(self) -> dict[str, float]:
        """Threshold of each measured word of the training data, by the word; none if the file tells none."""
        if isinstance(self._any_engine, MelSampler):
            return self._any_engine.thresholds
        return {word: self.threshold(word)[2] for word in self._words}

    def threshold(self, word: str) -> tuple[str, int, float]:
        """Return what decides whether a word holds: a quantity, the side (1 above, -1 below), the threshold.

        The quantity is one of `neurdsp.kick.attributes.QUANTITIES`, and the threshold in its unit.

        Raises
        ------
        ParameterError
            If the word is unknown, or nothing that is measured.
        """
        if word not in self._words:
            raise ParameterError(f"there is no keyword {word!r}{_suggested(word, self._words)}")
        if isinstance(self._any_engine, MelSampler):
            if word not in self._any_engine.thresholds:
                raise ParameterError(f"no measure defines the keyword {word!r} of '{self.path}'")
            return threshold_of(word, self._any_engine.thresholds)
        entry = _entries(self._config, "keywords")[self._words.index(word)]
        of = {str(each["name"]): each for each in _entries(self._config, "quantities")}[
            str(entry["quantity"])
        ]
        at = float(str(of["mean"])) + float(str(of["sd"])) * float(str(entry["threshold"]))
        return str(entry["quantity"]), 1 if entry["side"] == "above" else -1, at

    def _known(self, words: Sequence[str]) -> tuple[str, ...]:
        if isinstance(words, str):
            raise ParameterError(f"keywords is the text {words!r}; give a list of words")
        known = []
        for word in words:
            name = str(word).strip().lower()
            if name in self._words:
                known.append(name)
            else:
                nearest = _suggested(name, self._words)
                text = f"the keyword {str(word)[:40]!r} is unknown and left out{nearest}"
                warnings.warn(text, NeurdspWarning, stacklevel=4)
        return tuple(dict.fromkeys(known))

    def _wishes(self, asked: Sequence[str], unwanted: Sequence[str]) -> list[float]:
        both = sorted(set(asked) & set(unwanted))
        if both:
            raise ParameterError(
                f"the keyword {both[0]!r} is asked for and unwanted; take it from one of the lists"
            )
        return [float(word in asked) - float(word in unwanted) for word in self._words]

    def _slider_values(self, attributes: Mapping[str, float]) -> list[float]:
        for name, value in attributes.items():
            if name not in self.attributes:
                raise ParameterError(
                    f"there is no attribute {name!r}{_suggested(str(name), self.attributes)}"
                )
            check_range(f"the attribute {name!r}", value, 0, 1)
        values = []
        for slider in self._sliders:
            low, high = float(str(slider["low"])), float(str(slider["high"]))
            share = attributes.get(str(slider["name"]))
            values.append(float("nan") if share is None else min(high, max(low, low + share * (high - low))))
        return values


def _entries(config: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = config.get(name)
    return list(found) if isinstance(found, list) else []


def _whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(f"{name} is {value!r}, but must be a whole number")
    check_range(name, int(value), low, high)


def _suggested(word: str, known: Iterable[str]) -> str:
    from neurdsp.config import did_you_mean  # it loads pydantic, which only a wrong word needs

    return did_you_mean(word, known)
