"""A whole recording, separated in a process of its own: the children of ``drumsep.py --whole``.

A child prints a line of JSON: CPU time, peak memory, the null of all stems beside torch with eight chunks a
sample, and with true stems the change of the mean SDR beside it.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from drumsep_engines import config_of, peak_mib, recording
from neurdsp.audio import AudioReader, AudioWriter, read_audio
from neurdsp.drumsep import DrumSeparator

#: What the others are compared with.
REFERENCE = ("torch", "exact")
_BLOCK_SAMPLES = 1 << 20


def source_of(model, folder, seconds, sound, truth):
    """The file that is separated: the sum of true stems, or noise of ``sound`` seconds."""
    path = folder / f"whole-{seconds}-{'truth' if truth else sound}.wav"
    if not path.exists():
        config = config_of(model)
        n_samples = seconds * config.sample_rate
        with AudioWriter(path, config.sample_rate, channels=config.audio_channels) as writer:
            if truth:
                writer.write(sum(stem[:, :n_samples] for stem in true_stems(truth).values()))
            else:
                for start in range(0, n_samples, _BLOCK_SAMPLES):
                    block = recording(config, min(_BLOCK_SAMPLES, n_samples - start), seed=start)
                    block[:, max(sound * config.sample_rate - start, 0) :] = 0
                    writer.write(block)
    return path


def true_stems(truth):
    found = {
        path.stem: path for path in sorted(Path(truth).iterdir()) if path.suffix in (".wav", ".flac", ".mp3")
    }
    return {name: np.atleast_2d(read_audio(path)[0]) for name, path in found.items() if name != "mix"}


def blocks(path):
    with AudioReader(path) as reader:
        yield from (np.atleast_2d(block) for block in reader.blocks(_BLOCK_SAMPLES))


def null_db(wanted, found):
    """Energy of the difference of files beside that of the first, block by block, in dB."""
    energy = error = 0.0
    for name, path in wanted.items():
        for one, other in zip(blocks(path), blocks(found[name]), strict=True):
            energy += float(np.sum(one.astype(np.float64) ** 2))
            error += float(np.sum((one.astype(np.float64) - other) ** 2))
    return 10 * np.log10(error / energy) if error else -999.0


def mean_sdr_db(truth, files):
    ratios = []
    for name, stem in true_stems(truth).items():
        if name in files:
            found = np.atleast_2d(read_audio(files[name])[0])
            stem = stem[:, : found.shape[1]].astype(np.float64)
            ratios.append(10 * np.log10((stem**2).sum() / ((stem - found) ** 2).sum()))
    return float(np.mean(ratios))


def main(backend, precision, tier, model, folder, seconds, sound, truth):
    folder, seconds, sound = Path(folder), int(seconds), int(sound)
    source = source_of(model, folder, seconds, sound, truth)
    place = folder / f"whole-{seconds}-{sound}"
    before = time.process_time()
    separator = DrumSeparator.load(model)
    done = separator.separate_file(
        source,
        place / f"{backend}-{precision}-{tier}",
        backend=backend,
        precision=precision,
        tier=tier,
        threads=1,
    )
    result = {"cpu_s": time.process_time() - before, "peak_mib": peak_mib(), "seconds": seconds}
    reference = {
        name: place / f"{REFERENCE[0]}-float32-{REFERENCE[1]}" / path.name
        for name, path in done.outputs.items()
    }
    same_length = all(path.exists() for path in reference.values()) and all(
        AudioReader(path).info.n_samples == done.n_samples for path in reference.values()
    )
    if same_length and (backend, tier) != REFERENCE:
        result["null_db"] = null_db(reference, done.outputs)
        if truth:
            result["sdr_change_db"] = mean_sdr_db(truth, done.outputs) - mean_sdr_db(truth, reference)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
