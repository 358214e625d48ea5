"""Clips with controlled cues: rendered, heard as mel frames, and labelled by the additive cue model."""

from collections.abc import Callable
from itertools import count

import numpy as np
from numpy.typing import NDArray

from neurdsp.music.config import EmotionConfig
from neurdsp.music.dataset import SPLITS, Dataset, Split
from neurdsp.music.emotion.cues import CUES, Cues, draw_cues
from neurdsp.music.emotion.features import mel_frames
from neurdsp.music.emotion.synthesis import PRESETS, RATE_HZ, patch_timbre, play_patch, play_preset
from neurdsp.music.emotion.tunes import tempo_bpm, tune_notes
from neurdsp.music.tasks import Sources

__all__ = ["CLIP_S", "SHAPE", "collect"]

SHAPE = EmotionConfig(hop_length=1024)
"""The frames of the data: 21.5 a second."""
CLIP_S = 4.0

#: Clips of each preset of the soundfont, and of the synthesiser in all.
_CLIPS: dict[Split, tuple[int, int]] = {"train": (24, 336), "validation": (16, 48), "test": (24, 72)}
_PATCHES: dict[Split, range] = {
    "train": range(100),
    "validation": range(100, 120),
    "test": range(120, 150),
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
        frames, cues, synth = [], [], []
        rng = np.random.default_rng([SPLITS.index(split), 2013])
        tunes = count(_FIRST_TUNE[split] + 1)
        n_preset, n_synth = _CLIPS[split]
        for program, timbre in PRESETS[split].items():
            batch = [_drawn(rng, next(tunes), timbre) for _ in range(n_preset)]
            played = play_preset(
                soundfont, program, [(notes, tempo) for _, notes, tempo in batch], seconds=CLIP_S
            )
            for (asked, _, _), clip in zip(batch, played, strict=True):
                frames.append(mel_frames(clip, RATE_HZ, SHAPE))
                cues.append(asked)
                synth.append(False)
            done += n_preset
            progress(done, of_all)
        for number in range(n_synth):
            patch = _PATCHES[split][number % len(_PATCHES[split])]
            asked, notes, tempo = _drawn(rng, next(tunes), patch_timbre(patch))
            clip = play_patch(patch, notes, tempo, seconds=CLIP_S)
            frames.append(mel_frames(clip, RATE_HZ, SHAPE))
            cues.append(asked)
            synth.append(True)
            done += 1
            progress(done, of_all)
        arrays[f"{split}.frames"] = np.stack(frames).astype(np.float16)
        arrays[f"{split}.cues"] = np.array(cues, np.float32)
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


def _drawn(rng: np.random.Generator, tune: int, timbre: float) -> tuple[Cues, NDArray[np.void], float]:
    """Return cues, and the notes and the tempo of a tune that is played with them."""
    asked = draw_cues(rng, timbre)
    return asked, tune_notes(tune, asked, seconds=CLIP_S), tempo_bpm(asked)
