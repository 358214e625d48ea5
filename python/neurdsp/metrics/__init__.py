"""Measures of how close one signal is to another. They need only numpy, so they run without torch."""

from neurdsp.metrics.alignment import best_gain, best_lag_samples
from neurdsp.metrics.comparison import Comparison, ComparisonResult
from neurdsp.metrics.error import esr, null_depth_db, pre_emphasis, pre_emphasised_esr
from neurdsp.metrics.level import dc_offset, peak_db, rms_db
from neurdsp.metrics.spectral import multi_resolution_stft_distance

__all__ = [
    "Comparison",
    "ComparisonResult",
    "best_gain",
    "best_lag_samples",
    "dc_offset",
    "esr",
    "multi_resolution_stft_distance",
    "null_depth_db",
    "peak_db",
    "pre_emphasis",
    "pre_emphasised_esr",
    "rms_db",
]
