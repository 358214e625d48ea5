"""Measures what was wrong in the original recipe of the preset `seed`, on prepared kicks.

    .venv/bin/python scripts/runs/kick_faults.py DATA

DATA is a folder of `neurdsp kick aggregate`, with its `prepared` folder. Prints the figures that
docs/kick-training.md quotes.
"""

import sys
from pathlib import Path

import numpy as np
from neurdsp import log_mel
from neurdsp.audio import read_audio, resample
from neurdsp.kick.data.shards import open_prepared


def main(data: Path) -> None:
    """Print the figures."""
    found = open_prepared(data / "prepared")
    parameters, mel = found.mel.parameters, found.mel
    kicks = [(item, found.audio(item), found.log_mel(item)) for item in found.items]
    print(f"{len(kicks)} kicks of {len({item.kit for item, *_ in kicks})} kits")

    # 1. Spectrograms of power 2 in the data, of power 1 in the loss of the vocoder.
    both = [np.abs(own - log_mel(audio, **parameters, power=1.0)).mean() for _, audio, own in kicks]
    print(f"power 1 against power 2: true audio is {np.mean(both):.2f} nats from its own spectrogram")

    # 2. The spectrogram of normalised and faded audio, beside the audio as it was in the file.
    pairs = []
    for item, _, own in kicks:
        path = data / "raw" / item.filename
        samples, rate = read_audio(path, channel="mean", duration=3, incomplete="allow")
        raw = resample(samples, rate, mel.sample_rate)[: mel.n_samples]
        raw = np.pad(raw, (0, mel.n_samples - len(raw)))
        pairs.append(np.abs(own - log_mel(raw, **parameters)).mean())
    print(f"raw audio against the prepared spectrogram: {np.mean(pairs):.2f} nats, {max(pairs):.2f} at most")

    # 3. A random split: where the nearest neighbour of a kick is.
    flat = np.stack([own.ravel()[::7] for *_, own in kicks])
    kits = np.array([item.kit for item, *_ in kicks])
    distances = np.stack([np.abs(flat - one).mean(1) for one in flat])
    np.fill_diagonal(distances, np.inf)
    siblings = kits[distances.argmin(1)] == kits
    other = np.where(kits[:, None] == kits, np.inf, distances).min(1)
    print(
        f"nearest neighbour in the same kit: {100 * siblings.mean():.0f} % of kicks; its distance is "
        f"{np.median(distances.min(1)):.2f} nats, that to other kits {np.median(other):.2f} (medians)"
    )

    # 4. Half a hop between frames and the samples that are made of them.
    print(f"half a hop: {mel.lead_samples} samples, {1e3 * mel.lead_samples / mel.sample_rate:.1f} ms")

    # 5. Silence: what a loss over all cells mostly sees.
    floor = np.mean([np.mean(own <= np.log(mel.floor) + 1e-3) for *_, own in kicks])
    print(f"cells at the floor: {100 * floor:.0f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
