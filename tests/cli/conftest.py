"""Files to run the command on."""

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def files(tmp_path: Path, amp_path: Path) -> Path:
    """A folder with an amp, a good recording and bad ones."""
    rng = np.random.default_rng(7)
    dry = (0.3 * rng.standard_normal(20_000)).clip(-1, 1).astype(np.float32)
    bad = dry.copy()
    bad[12_345] = np.nan
    infinite = dry.copy()
    infinite[7] = np.inf
    for name, samples, rate in [
        ("dry.wav", dry, 48_000),
        ("near.wav", dry + np.float32(0.001), 48_000),
        ("other_rate.wav", dry, 44_100),
        ("short.wav", dry[:-1], 48_000),
        ("silent.wav", np.zeros_like(dry), 48_000),
        ("many.wav", np.zeros((9, 65), np.float32), 48_000),
        ("stereo.wav", np.stack([dry, dry], axis=1), 48_000),
        ("nan.wav", bad, 48_000),
        ("inf.wav", infinite, 48_000),
        ("empty.wav", dry[:0], 48_000),
        ("slow.wav", dry, 50),
    ]:
        soundfile.write(tmp_path / name, samples, rate, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("not audio at all")
    (tmp_path / "folder.wav").mkdir()
    model = amp_path.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(model[: len(model) // 2])
    (tmp_path / "foreign.safetensors").write_bytes(b"\x80\x02}q\x00." * 100)
    (tmp_path / "newer.safetensors").write_bytes(
        model.replace(b'"neurdsp.format":"1.0"', b'"neurdsp.format":"9.0"')
    )
    return tmp_path
