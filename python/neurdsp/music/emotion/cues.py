"""Six musical cues, and the valence and arousal that an additive model gives them.

T. Eerola, A. Friberg, R. Bresin, "Emotional expression in music: contribution, linearity, and additivity of
primary musical cues", Frontiers in Psychology 4:487, 2013: listeners' ratings are close to a weighted sum of
mode, tempo, register, dynamics, articulation and timbre, in this order of importance. The study rated happy,
sad, peaceful and scary. Valence and arousal, and the weights here, are a simplification of ours: round
numbers in about that order, not the coefficients of the study. So these are labels of a model, not of
listeners.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CUES", "Cues", "draw_cues", "mood_of"]


class Cues(NamedTuple):
    """Cues of a clip, each from -1 to 1.

    Parameters
    ----------
    mode
        1 is major, -1 minor.
    tempo
        From 60 to 180 beats a minute, on a logarithmic scale.
    register
        From two octaves below the middle of the piano to as much above.
    dynamics
        From soft to loud.
    articulation
        From legato, -1, to staccato, 1.
    timbre
        From dark to bright.
    """

    mode: float
    tempo: float
    register: float
    dynamics: float
    articulation: float
    timbre: float


CUES = Cues._fields
"""Their names, in order."""

_VALENCE = np.array([0.50, 0.18, 0.14, -0.08, 0.06, -0.04])
_AROUSAL = np.array([0.00, 0.42, 0.04, 0.28, 0.16, 0.10])


def mood_of(cues: Cues | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return cue-model valence and arousal, each from -1 to 1.

    Parameters
    ----------
    cues
        ``(..., 6)``.

    Returns
    -------
    ndarray
        ``(..., 2)``.

    Examples
    --------
    >>> mood_of(Cues(mode=1, tempo=1, register=0, dynamics=0, articulation=0, timbre=0)).round(2).tolist()
    [0.68, 0.42]
    """
    found: NDArray[np.float64] = np.asarray(cues, np.float64) @ np.stack([_VALENCE, _AROUSAL], axis=1)
    return found


def draw_cues(rng: np.random.Generator, timbre: float) -> Cues:
    """Draw cues that do not depend on each other; the timbre is that of the instrument."""
    tempo, register, dynamics, articulation = rng.uniform(-1, 1, 4)
    return Cues(float(rng.choice([-1.0, 1.0])), tempo, register, dynamics, articulation, timbre)
