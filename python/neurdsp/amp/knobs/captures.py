"""The captures of a manifest, read and aligned: one input, and the output at each setting of the knobs."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from neurdsp.amp.capture.align import Alignment
from neurdsp.amp.capture.locate import find_place
from neurdsp.amp.capture.manifest import Manifest, Setting, load_manifest
from neurdsp.amp.config import AmpConfig
from neurdsp.amp.data import Pair, Split, load_pair, split_in_time
from neurdsp.audio import FloatArray, read_audio
from neurdsp.errors import AudioFileError

__all__ = ["Captures", "load_captures"]

_SURE = 0.5
"""Least confidence with which a capture keeps a latency that differs from the others."""

_NEAR_BLIPS, _NEAR_CORRELATION = 1, 8
"""Estimates this many samples apart belong to one latency: a knob moves the onset of the response too."""


@dataclass(frozen=True)
class Captures:
    """All captures of a manifest, aligned to their input; those for training come first.

    Parameters
    ----------
    manifest
        The manifest.
    settings, pairs
        Each setting and its recordings, all of one length.
    split
        The held-out part, which is the same in all captures.
    warnings
        Flaws of the recordings that do not prevent training.
    """

    manifest: Manifest
    settings: tuple[Setting, ...]
    pairs: tuple[Pair, ...]
    split: Split
    warnings: tuple[str, ...] = ()

    def positions(self, index: int) -> list[float]:
        """Return the positions of the knobs in a capture, in the order of the manifest."""
        return [self.settings[index].positions[name] for name in self.manifest.knobs]

    def of(self, part: Literal["train", "test"]) -> list[int]:
        """Return the indices of the captures of a part."""
        return [index for index, setting in enumerate(self.settings) if setting.part == part]

    def fingerprint(self) -> str:
        """Return a hash of all that is trained on, by which a resumed run recognises its data.

        It covers the names of the knobs, and the positions and the samples of the training captures.
        """
        digest = hashlib.sha256(json.dumps(list(self.manifest.knobs)).encode())
        digest.update(self.pairs[0].dry.tobytes())
        for index in self.of("train"):
            digest.update(json.dumps(self.positions(index)).encode())
            digest.update(self.pairs[index].wet.tobytes())
        return digest.hexdigest()[:16]


def load_captures(path: str | os.PathLike[str], config: AmpConfig) -> Captures:
    """Read the captures of a manifest, and align each to the input.

    The latency of a device does not depend on its knobs, but one recording may be later than another. So the
    latency of each capture is measured. The captures near the median are all shifted by the median. A capture
    with a clearly different latency is shifted by its own, and a warning names it.

    Parameters
    ----------
    path
        The manifest.
    config
        Of the run. ``data.latency_samples`` applies to every capture whose setting gives none.

    Raises
    ------
    AudioFileError
        As `neurdsp.amp.data.load_pair` for the first capture; also for a capture that has another sample
        rate, is much shorter than the input, or is silent.
    ConfigError
        For an unusable manifest.

    Examples
    --------
    >>> captures = load_captures("runs/drive/manifest.yaml", load_config("knobs"))  # doctest: +SKIP
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
    alignments, warnings = _align_all(settings, first, wets, config, folder)
    safety = config.data.safety_samples
    # The first pair may have lost the beginning of its input already; the others may need to lose more.
    shifts = [alignment.shift(safety) + first.lead_samples for alignment in alignments]
    lead = max(0, -min(shifts))
    first = replace(
        first, dry=first.dry[lead:], known=first.known.cut(lead), lead_samples=first.lead_samples + lead
    )
    wets = [wet[shift + lead :] for wet, shift in zip(wets, shifts, strict=True)]
    for setting, wet in zip(settings, wets, strict=True):
        if wet.size < first.dry.size // 2:
            raise AudioFileError(
                f"'{folder / setting.output}' is less than half as long as the input; record it again, or "
                "leave this setting out"
            )
        if not wet.any():
            raise AudioFileError(f"'{folder / setting.output}' is silent; leave this setting out")
    n_samples = min(first.dry.size, *(wet.size for wet in wets))
    dry = first.dry[:n_samples]
    pairs = tuple(replace(first, dry=dry, wet=np.ascontiguousarray(wet[:n_samples])) for wet in wets)
    return Captures(manifest, settings, pairs, split_in_time(pairs[0], config), (*first.warnings, *warnings))


def _read(path: Path, rate: int) -> FloatArray:
    samples, found = read_audio(path, incomplete="refuse")
    if found != rate:
        raise AudioFileError(f"'{path}' has {found} Hz, but the first capture has {rate} Hz; use one rate")
    return samples


def _align_all(
    settings: tuple[Setting, ...], first: Pair, wets: list[FloatArray], config: AmpConfig, folder: Path
) -> tuple[list[Alignment], list[str]]:
    """Return the alignment of each capture, and warnings about those that differ from the others."""
    data = config.data
    alignments, measured = [], {}
    for index, (setting, wet) in enumerate(zip(settings, wets, strict=True)):
        given = data.latency_samples if setting.latency_samples is None else setting.latency_samples
        if given is None:
            path = folder / setting.output
            measured[index] = alignment = _measure(first, wet, config, path)
        else:
            alignment = Alignment(given, 1.0, inverted=False, method="given")
        alignments.append(alignment)
    if not measured:
        return alignments, []
    sure = [one for one in measured.values() if one.confidence >= _SURE] or list(measured.values())
    shared = int(np.median([one.latency_samples for one in sure]))
    usual = Counter(one.inverted for one in sure).most_common(1)[0][0]
    warnings = []
    for index, one in measured.items():
        name, latency = settings[index].output, shared
        near = _NEAR_BLIPS if one.method == "blips" else _NEAR_CORRELATION + one.uncertainty_samples
        if abs(one.latency_samples - shared) > near:
            apart = f"{name} has a latency of {one.latency_samples} samples, the others of {shared}"
            if one.confidence >= _SURE:
                latency = one.latency_samples
                what = f"it is shifted by its own; if that is wrong, give it latency_samples: {shared}"
            else:
                what = f"that is uncertain (confidence {one.confidence:.2f}), so it is shifted like the rest"
            warnings.append(f"{apart}: {what} in the manifest")
        if one.inverted != usual and one.confidence >= _SURE:
            warnings.append(
                f"the polarity of {name} is opposite to that of most captures: was a cable or switch changed?"
            )
        alignments[index] = replace(one, latency_samples=latency)
    return alignments, warnings


def _measure(first: Pair, wet: FloatArray, config: AmpConfig, path: Path) -> Alignment:
    """Measure the lag of one capture behind the whole input, wherever it is."""
    if not wet.any():
        return Alignment(0, 0.0, inverted=False)
    place = find_place(first.dry, wet, first.sample_rate, first.known, config.data)
    if place is None or not place.trusted:
        raise AudioFileError(
            f"'{path}' does not follow the input at any latency; was it made from another input, or stopped? "
            "Record it again, or leave this setting out"
        )
    found = place.alignment
    return replace(found, latency_samples=found.latency_samples - first.lead_samples)
