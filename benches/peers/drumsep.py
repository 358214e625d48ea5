"""A pass of an MDX23C network through the engine beside torch eager: CPU time on one thread, and the null.

    python benches/peers/drumsep.py [--frames 256] [--turns 1] [--json FILE]

The network has the size of the public one with five stems and random weights, so no checkpoint is needed. Its
null does not predict that of trained weights.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from neurdsp import _core
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.export import ARCHITECTURE
from neurdsp.drumsep.model import TfcTdfNet
from neurdsp.modelfile import build_metadata, parity_error_db


def cpu_s(work):
    """Seconds of CPU time, and the result."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=256, metavar="N", help="of a chunk; a multiple of 32")
    parser.add_argument("--turns", type=int, default=1, metavar="N", help="turns of each program")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TfcTdfConfig()
    network = TfcTdfNet(config).eval()
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config.model_dump(mode="json"),
        sample_rate=config.sample_rate,
        channels=config.audio_channels,
    )
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    engine = _core.TfcTdf(metadata, weights)
    n_samples = (arguments.frames - 1) * config.hop_length
    audio = (0.1 * np.random.default_rng(0).standard_normal((2, n_samples))).astype(np.float32)

    def in_torch():
        with torch.inference_mode():
            return network(torch.from_numpy(audio)[None])[0].numpy()

    seconds: dict[str, list[float]] = {"engine": [], "torch": []}
    for _ in range(arguments.turns):
        spent, found = cpu_s(lambda: engine.forward(audio, 1))
        seconds["engine"].append(spent)
        spent, wanted = cpu_s(in_torch)
        seconds["torch"].append(spent)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    null_db = parity_error_db(wanted, found)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"audio     {n_samples / config.sample_rate:8.2f} s")
    print(f"engine    {medians['engine']:8.2f} CPU-s")
    print(f"torch     {medians['torch']:8.2f} CPU-s")
    print(f"ratio     {medians['torch'] / medians['engine']:8.2f} x")
    print(f"null      {null_db:8.1f} dB")
    print(f"peak      {peak_mib:8.0f} MiB of both together")
    if arguments.json is not None:
        report = {"cpu_s": medians, "null_db": null_db, "peak_mib": peak_mib}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
