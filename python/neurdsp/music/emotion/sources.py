"""Clips with controlled cues: rendered, heard as mel frames, and labelled by the additive cue model."""

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurdsp.music.config import EmotionConfig
from neurdsp.music.dataset import SPLITS, Dataset, Split
from neurdsp.music.emotion.cues import CUES, Cues, draw_cues
from neurdsp.music.emotion.features import frame_rate_hz, mel_frames
from neurdsp.music.emotion.synthesis import PRESETS, RATE_HZ, patch_timbre, play_patch, play_preset
from neurdsp.music.emotion.tunes import TICKS, tempo_bpm, tonic_pitch, tune_notes
from neurdsp.music.tasks import Sources

__all__ = ["CLIP_S", "SHAPE", "collect"]

SHAPE = EmotionConfig(hop_length=1024)
"""The frames of the data: 21.5 a second."""
CLIP_S = 4.0

#: Clips of each preset of the soundfont, and of the synthesiser in all.
_CLIPS: dict[Split, tuple[int, int]] = {"train": (96, 3200), "validation": (48, 96), "test": (64, 192)}
_PATCHES: dict[Split, range] = {
    "train": range(400),
    "validation": range(400, 440),
    "test": range(440, 500),
}
#: Tunes have numbers of their own in each split.
_FIRST_TUNE: dict[Split, int] = {"train": 0, "validation": 100_000, "test": 200_000}


def collect(sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Dataset:
    """Render the clips of all splits, half of them with a soundfont and half with our own synthesiser.

    No tune, preset of the soundfont or patch of the synthesiser is in two splits. Arrays of a split:
    ``frames``, ``(n_clips, n_frames, 128)`` in half precision; ``cues``, ``(n_clips, 6)``; and ``synth``,
    whether a clip is of the synthesiser.

    Raises
    ------
    ConfigError
        If no soundfont is given, or fluidsynth is missing or fails.
    """
    soundfont = sources.need("soundfont")
    of_all = sum(len(PRESETS[split]) * _CLIPS[split][0] + _CLIPS[split][1] for split in SPLITS)
    arrays: dict[str, NDArray[np.generic]] = {}
    done = 0
    for split in SPLITS:
        frames, cues, synth, sounding, tonics = [], [], [], [], []
        rng = np.random.default_rng([SPLITS.index(split), 2013])
        tunes = count(_FIRST_TUNE[split] + 1)
        n_preset, n_synth = _CLIPS[split]
        for program, timbre in PRESETS[split].items():
            batch = [_drawn(rng, next(tunes), timbre) for _ in range(n_preset)]
            played = play_preset(
                soundfont, program, [(tune.notes, tune.tempo_bpm) for tune in batch], seconds=CLIP_S
            )
            for tune, clip in zip(batch, played, strict=True):
                frames.append(mel_frames(clip, RATE_HZ, SHAPE))
                sounding.append(_sounding(tune, len(frames[-1])))
                cues.append(tune.cues)
                tonics.append(tune.tonic)
                synth.append(False)
            done += n_preset
            progress(done, of_all)
        for number in range(n_synth):
            patch = _PATCHES[split][number % len(_PATCHES[split])]
            tune = _drawn(rng, next(tunes), patch_timbre(patch))
            clip = play_patch(patch, tune.notes, tune.tempo_bpm, seconds=CLIP_S)
            frames.append(mel_frames(clip, RATE_HZ, SHAPE))
            sounding.append(_sounding(tune, len(frames[-1])))
            cues.append(tune.cues)
            tonics.append(tune.tonic)
            synth.append(True)
            done += 1
            progress(done, of_all)
        arrays[f"{split}.frames"] = np.stack(frames).astype(np.float16)
        arrays[f"{split}.cues"] = np.array(cues, np.float32)
        arrays[f"{split}.sounding"] = np.stack(sounding)
        arrays[f"{split}.tonic"] = np.array(tonics, np.uint8)
        arrays[f"{split}.synth"] = np.array(synth)
    facts = {
        "source": f"clips of {CLIP_S:g} s, rendered by fluidsynth with {soundfont.name} and by a synthesiser"
        " of ours; tunes made by rule; labels of the additive cue model, not of listeners",
        "cues": list(CUES),
        "clips": {split: len(arrays[f"{split}.cues"]) for split in SPLITS},
        "presets": {split: len(PRESETS[split]) for split in SPLITS},
        "patches": {split: len(_PATCHES[split]) for split in SPLITS},
    }
    return Dataset("emotion", arrays, facts)


class _Tune(NamedTuple):
    cues: Cues
    notes: NDArray[np.void]
    tempo_bpm: float
    tonic: int


def _drawn(rng: np.random.Generator, number: int, timbre: float) -> _Tune:
    """Return a tune that is played with cues that are drawn."""
    cues = draw_cues(rng, timbre)
    notes = tune_notes(number, cues, seconds=CLIP_S)
    return _Tune(cues, notes, tempo_bpm(cues), tonic_pitch(number, cues) % 12)


def _sounding(tune: _Tune, n_frames: int) -> NDArray[np.uint16]:
    """Return the pitch classes of the notes that are held in each frame, as bits, bit 0 for C."""
    frames_per_tick = 60 / (tune.tempo_bpm * TICKS) * frame_rate_hz(SHAPE)
    found = np.zeros(n_frames, np.uint16)
    for note in tune.notes:
        # A frame is centred at a multiple of the hop, and hears half a hop before and after.
        first = max(round(float(note["start_ticks"]) * frames_per_tick), 0)
        end = max(round(float(note["end_ticks"]) * frames_per_tick), first + 1)
        found[first:end] |= np.uint16(1 << int(note["pitch"]) % 12)
    return found
