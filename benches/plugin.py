"""What the plugin costs in a host, beside the engine alone: python benches/plugin.py, after make plugin.

All times are CPU times of the process, the least of several runs; the host is pedalboard.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from neurdsp.amp import AmpModel, shipped_amps, write_plugin_preset
from neurdsp.amp.lookup import find_model

BUNDLE = Path(__file__).parents[1] / "target/bundled/neurdsp.vst3"
RATE = 48_000
BARE = {"gate": False, "tone": False, "cabinet": False, "dc_block": False, "output_mode": "raw"}


def least_cpu_s(work, repeats=5):
    """The least CPU time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def scan_ms(bundle):
    """Time of a fresh process, a host of our own in Rust, to load the library and make an instance."""
    root = Path(__file__).parents[1]
    build = ["cargo", "build", "--release", "--quiet", "-p", "neurdsp-plugin", "--example", "guest"]
    subprocess.run(build, cwd=root, check=True)
    run = [root / "target/release/examples/guest", next(Path(bundle).rglob("*.so"))]
    printed = [subprocess.run(run, capture_output=True, check=True, text=True).stdout for _ in range(10)]
    return min(float(line.split()[-2]) for line in printed)


def pedalboard_ms(bundle):
    """CPU time to do the same in pedalboard, which asks for a thousand texts of each parameter."""
    code = (
        "import sys, time, pedalboard; start = time.process_time();"
        "pedalboard.load_plugin(sys.argv[1], plugin_name='neurdsp');"
        "print(1000 * (time.process_time() - start))"
    )
    run = [sys.executable, "-c", code, bundle]
    return min(float(subprocess.run(run, capture_output=True, check=True).stdout) for _ in range(5))


def factory_ms(bundle):
    """CPU time of a fresh process to load the library and get its factory, without any work of a host."""
    code = (
        "import ctypes, sys, time; start = time.process_time(); library = ctypes.CDLL(sys.argv[1]);"
        "library.ModuleEntry(None); library.GetPluginFactory(); print(1000 * (time.process_time() - start))"
    )
    run = [sys.executable, "-c", code, next(Path(bundle).rglob("*.so"))]
    return min(float(subprocess.run(run, capture_output=True, check=True).stdout) for _ in range(5))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="model files or shipped amps (default: all shipped)")
    parser.add_argument("--bundle", type=Path, default=BUNDLE)
    parser.add_argument("--block", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import pedalboard

    bundle, block = str(options.bundle), options.block
    models = options.models or shipped_amps()
    size = sum(os.path.getsize(path) for path in options.bundle.rglob("*") if path.is_file())
    rows = {"binary MB": size / 1e6, "library alone, CPU ms": factory_ms(bundle)}
    rows["scan in our own host, ms (50 at most)"] = scan_ms(bundle)
    rows["load in pedalboard, CPU ms"] = pedalboard_ms(bundle)
    rng = np.random.default_rng(0)
    clip = rng.uniform(-0.3, 0.3, (1, 4 * RATE)).astype(np.float32)
    seconds = clip.shape[1] / RATE

    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            name = find_model(model).stem
            preset = write_plugin_preset(Path(folder) / "a.vstpreset", model, **BARE)
            chain = write_plugin_preset(Path(folder) / "b.vstpreset", model)
            plugin = pedalboard.load_plugin(bundle, plugin_name="neurdsp")

            def load(plugin=plugin, preset=preset):
                plugin.load_preset(str(preset))
                plugin.process(clip[:, :block], RATE, buffer_size=block)

            rows[f"{name}: load and play a block, ms"] = 1000 * least_cpu_s(load)
            stream = AmpModel.load(model).stream()

            def engine(stream=stream):
                for start in range(0, clip.shape[1], block):
                    stream.process(clip[0, start : start + block])

            for what, path in (("model", preset), ("whole chain", chain)):
                plugin.load_preset(str(path))
                cpu_s = least_cpu_s(lambda: plugin.process(clip, RATE, buffer_size=block))  # noqa: B023
                rows[f"{name}: {what} in the host, x real time"] = seconds / cpu_s
            rows[f"{name}: engine alone from Python, x real time"] = seconds / least_cpu_s(engine)

        preset = write_plugin_preset(Path(folder) / "c.vstpreset", models[0])
        for sound, signal in (("playing", clip), ("silent", np.zeros_like(clip))):
            for count in (1, 10, 50):
                plugins = [pedalboard.load_plugin(bundle, plugin_name="neurdsp") for _ in range(count)]
                for plugin in plugins:
                    plugin.load_preset(str(preset))
                    plugin.process(signal[:, :RATE], RATE, buffer_size=block)

                def play(plugins=plugins, signal=signal):
                    for plugin in plugins:
                        plugin.process(signal, RATE, buffer_size=block, reset=False)

                rows[f"{count} instances {sound}, % of a core"] = 100 * least_cpu_s(play, 3) / seconds

    if options.json:
        print(json.dumps(rows))
        return
    for name, value in rows.items():
        print(f"{name:55} {value:10.3g}")


if __name__ == "__main__":
    main()
