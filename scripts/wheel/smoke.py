"""Use an installed neurdsp and print what it did as JSON; run it with the Python of an empty environment."""

import json
import sys

import neurdsp
import numpy as np
from neurdsp.amp import AmpModel, shipped_amps

assert "site-packages" in neurdsp.__file__, f"{neurdsp.__file__} is not installed"
try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("torch is installed: this environment is not empty")

tone = np.sin(np.arange(48_000) * 0.1).astype(np.float32)
mel = neurdsp.log_mel(tone, sr=48_000)
amps = {}
for name in shipped_amps():
    amp = AmpModel.load(name)
    rendered = amp.render(tone, 48_000)
    stream = amp.stream()
    streamed = np.concatenate([stream.process(tone[i : i + 64]) for i in range(0, tone.size, 64)])
    amps[name] = {
        "peak": float(np.abs(rendered).max()),
        "streams_alike": bool(np.array_equal(streamed, rendered)),
    }
report = {
    "version": neurdsp.__version__,
    "mel_shape": mel.shape,
    "mel_is_finite": bool(np.isfinite(mel).all()),
    "amps": amps,
    "heavy": sorted({"torch", "matplotlib", "typer", "pydantic"} & set(sys.modules)),
}
sys.stdout.write(json.dumps(report) + "\n")
