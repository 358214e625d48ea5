"""SDR of stems of one recording, beside that of the recording itself."""

from collections.abc import Mapping

from neurdsp.audio import FloatArray
from neurdsp.drumsep.judge.ratios import SILENT_DB, level_db, sdr_db

__all__ = ["score_stems"]


def score_stems(
    found: Mapping[str, FloatArray], truth: Mapping[str, FloatArray], mixture: FloatArray
) -> dict[str, tuple[float, float]]:
    """Return SDR of each stem, and SDR if the recording is taken for the stem, in dB.

    Parameters
    ----------
    found, truth
        Stems by name, each of the shape of ``mixture``.
    mixture
        The recording.

    Returns
    -------
    dict
        Without stems whose truth is below `SILENT_DB`: their ratios mean nothing.

    Examples
    --------
    >>> import numpy as np
    >>> kick, rest = np.float32([1, 0]), np.float32([0, 0.1])
    >>> score_stems({"kick": kick + rest / 10}, {"kick": kick}, kick + rest)["kick"]
    (40.0, 20.0)
    """
    return {
        name: (round(sdr_db(stem, found[name]), 3), round(sdr_db(stem, mixture), 3))
        for name, stem in truth.items()
        if level_db(stem) >= SILENT_DB
    }
