"""The captures of a manifest, read and aligned: one input, and what came out at each setting of the knobs."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from neurdsp.amp.capture.align import Alignment, find_blip_latency, find_latency
from neurdsp.amp.capture.manifest import Manifest, Setting, load_manifest
from neurdsp.amp.config import AmpConfig
from neurdsp.amp.data import Pair, Split, load_pair, split_in_time
from neurdsp.audio import FloatArray, read_audio
from neurdsp.errors import AudioFileError

__all__ = ["Captures", "load_captures"]

_SURE = 0.5
"""Confidence from which on the latency of one capture is believed against that of the others."""

_NEAR_BLIPS, _NEAR_CORRELATION = 1, 8
"""So many samples apart, two estimates are of one latency: a knob moves the beginning of a response too."""


@dataclass(frozen=True)
class Captures:
    """All captures of a manifest, those for training first, sample by sample beside their input.

    Parameters
    ----------
    manifest
        What they were read from.
    settings, pairs
        Each setting, and its recordings; all of one length.
    split
        One for all, since the input is one.
    warnings
        What is odd about the recordings but can be used.
    """

    manifest: Manifest
    settings: tuple[Setting, ...]
    pairs: tuple[Pair, ...]
    split: Split
    warnings: tuple[str, ...] = ()

    def positions(self, index: int) -> list[float]:
        """Return where the knobs stood in a capture, in the manifest's order."""
        return [self.settings[index].positions[name] for name in self.manifest.knobs]

    def of(self, part: Literal["train", "test"]) -> list[int]:
        """Return the indices of the captures of a part."""
        return [index for index, setting in enumerate(self.settings) if setting.part == part]

    def fingerprint(self) -> str:
        """Return a hash of all that is trained on, by which a resumed run knows its data.

        It covers the names of the knobs, and the positions and the samples of the training captures.
        """
        digest = hashlib.sha256(json.dumps(list(self.manifest.knobs)).encode())
        digest.update(self.pairs[0].dry.tobytes())
        for index in self.of("train"):
            digest.update(json.dumps(self.positions(index)).encode())
            digest.update(self.pairs[index].wet.tobytes())
        return digest.hexdigest()[:16]


def load_captures(path: str | os.PathLike[str], config: AmpConfig) -> Captures:
    """Read the captures of a manifest, and lay each on the input.

    A device answers with one latency, whatever its knobs say; a recording of it may have had another. Each
    capture is therefore measured. The median is taken for all that agree with it to some samples; a capture
    that surely has another latency keeps that one, with a warning.

    Parameters
    ----------
    path
        Of the manifest.
    config
        Of the run. ``data.latency_samples`` is taken for every capture whose setting does not say its own.

    Raises
    ------
    AudioFileError
        As :func:`neurdsp.amp.data.load_pair` for the first capture, and for a capture of another rate or
        much shorter than the input, or silent.
    ConfigError
        For a manifest that cannot be used.
    """
    source = Path(path)
    manifest = load_manifest(source)
    folder = source.parent
    settings = tuple(sorted(manifest.captures, key=lambda setting: setting.part != "train"))
    own = settings[0].latency_samples
    data = config.data if own is None else config.data.model_copy(update={"latency_samples": own})
    first = load_pair(
        folder / manifest.input, folder / settings[0].output, config.model_copy(update={"data": data})
    )
    wets = [_read(folder / setting.output, first.sample_rate) for setting in settings]
    lags, warnings = _latencies(settings, first, wets, config)
    wets = [wet[lag:] for wet, lag in zip(wets, lags, strict=True)]
    for setting, wet in zip(settings, wets, strict=True):
        if wet.size < first.dry.size // 2:
            raise AudioFileError(
                f"'{folder / setting.output}' is less than half as long as the input; record it again, or "
                "leave that setting out"
            )
        if not wet.any():
            raise AudioFileError(f"'{folder / setting.output}' is silent; leave that setting out")
    n_samples = min(first.dry.size, *(wet.size for wet in wets))
    dry = first.dry[:n_samples]
    pairs = tuple(replace(first, dry=dry, wet=np.ascontiguousarray(wet[:n_samples])) for wet in wets)
    return Captures(manifest, settings, pairs, split_in_time(pairs[0], config), (*first.warnings, *warnings))


def _read(path: Path, rate: int) -> FloatArray:
    samples, found = read_audio(path)
    if found != rate:
        raise AudioFileError(f"'{path}' has {found} Hz, but the first capture has {rate} Hz")
    return samples


def _latencies(
    settings: tuple[Setting, ...], first: Pair, wets: list[FloatArray], config: AmpConfig
) -> tuple[list[int], list[str]]:
    """Return by how much to shift each capture, and what is odd about that."""
    data = config.data
    given = [data.latency_samples if s.latency_samples is None else s.latency_samples for s in settings]
    open_ones = [index for index, lag in enumerate(given) if lag is None]
    if not open_ones:
        return [lag or 0 for lag in given], []
    found = {index: _align(first, wets[index], config) for index in open_ones}
    sure = [one for one in found.values() if one.confidence >= _SURE] or list(found.values())
    shared = int(np.median([one.latency_samples for one in sure]))
    usual = Counter(one.inverted for one in sure).most_common(1)[0][0]
    lags, warnings = list(given), []
    for index, one in found.items():
        name, lag = settings[index].output, shared
        near = _NEAR_BLIPS if one.method == "blips" else _NEAR_CORRELATION + one.uncertainty_samples
        if abs(one.latency_samples - shared) > near:
            apart = f"{name} answers after {one.latency_samples} samples, the others after {shared}"
            if one.confidence >= _SURE:
                lag = one.latency_samples
                what = f"it is shifted by its own; if that is wrong, give it latency_samples: {shared}"
            else:
                what = f"that is not sure (confidence {one.confidence:.2f}), so it is shifted like the others"
            warnings.append(f"{apart}: {what} in the manifest")
        if one.inverted != usual and one.confidence >= _SURE:
            warnings.append(
                f"{name} has the other polarity than most captures: was a cable or switch changed?"
            )
        lags[index] = max(lag - data.safety_samples, 0)
    return [lag or 0 for lag in lags], warnings


def _align(first: Pair, wet: FloatArray, config: AmpConfig) -> Alignment:
    """Measure the lag of one capture, by blips where the input has them."""
    rate = first.sample_rate
    reach = int(config.data.max_latency_ms * 1e-3 * rate)
    if not wet.any():
        return Alignment(0, 0.0, inverted=False)
    if first.known.blips:
        by_blips = find_blip_latency(wet, first.known.blips, sample_rate=rate, max_latency_samples=reach)
        if by_blips is not None:
            return by_blips
    return find_latency(first.dry, wet, sample_rate=rate, max_latency_samples=reach)
