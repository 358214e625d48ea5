"""One pass of an MDX23C network in one engine, in a process of its own: the children of ``drumsep.py``.

A child prints a line of JSON: CPU time of loading and of a pass, peak memory, null beside torch eager.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from neurdsp import _core
from neurdsp.drumsep.backends import open_network
from neurdsp.drumsep.backends.spectrum import Spectra
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.stored import read_network
from neurdsp.modelfile import parity_error_db

REFERENCE = "torch"
WARM_UP_FRAMES = 64


def opened(backend, **options):
    """An engine of the package."""
    return lambda model, **_: open_network(model, backend=backend, **options).forward


def in_torch(**options):
    """torch with options that `open_network` has not."""

    def make(model, **_):
        from neurdsp.drumsep.backends.pytorch import TorchNetwork

        return TorchNetwork(read_network(model), device="cpu", **options).forward

    return make


def in_int8(model, folder, **_):
    """ONNX Runtime with INT8 products; the file is made once."""
    from neurdsp.drumsep.backends.onnx_file import export_onnx
    from neurdsp.drumsep.backends.onnx_runtime import open_session

    path = folder / "int8.onnx"
    if not path.exists():
        export_onnx(model, path, int8=True)
        return None  # the export held more memory than the pass will: measure in another process
    session, spectra = open_session(path), Spectra(config_of(model))
    return lambda chunks: spectra.around(lambda x: session.run(None, {"spectrum": x})[0], chunks)


def in_ncnn(model, folder, frames):
    """ncnn with the whole body, as pnnx converts it for one number of frames; the files are made once."""
    place = folder / f"ncnn-{frames}"
    if not (place / "done").exists():
        convert_to_ncnn(model, place, frames)
        return None
    import ncnn

    network = ncnn.Net()
    network.opt.num_threads = 1
    for name in ("use_fp16_storage", "use_fp16_packed", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(network.opt, name, False)
    network.load_param(str(place / "body.ncnn.param"))
    network.load_model(str(place / "body.ncnn.bin"))
    config = config_of(model)
    spectra = Spectra(config)

    def body(spectrum):
        extractor = network.create_extractor()
        extractor.input("in0", ncnn.Mat(spectrum[0]))
        return np.array(extractor.extract("out0")[1])[None]

    return lambda chunks: spectra.around(body, chunks)


def convert_to_ncnn(model, place, frames):
    import pnnx
    import torch
    from neurdsp.drumsep.model import TfcTdfNet

    stored = read_network(model)
    config = stored.config
    network = TfcTdfNet(config).eval()
    network.load_state_dict({name: torch.tensor(value) for name, value in stored.weights.items()})

    class Body(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, spectrum):
            return self.network.body(spectrum)

    place.mkdir(exist_ok=True)
    spectrum = torch.randn(1, 2 * config.audio_channels, config.n_bins, frames)
    with torch.inference_mode():
        pnnx.export(Body().eval(), str(place / "body.pt"), (spectrum,), fp16=False)
    for path in place.iterdir():
        if ".ncnn." not in path.name:
            path.unlink()
    (place / "done").touch()


#: By name: what makes the engine, and how many chunks it gets at a time.
ENGINES = {
    "torch": (in_torch(), 1),
    "torch, batch of 2": (in_torch(), 2),
    "torch, channels_last": (in_torch(channels_last=True), 1),
    "torch, compiled": (in_torch(compiled=True), 1),
    "torch, bfloat16": (in_torch(precision="bfloat16"), 1),
    "onnxruntime": (opened("onnxruntime"), 1),
    "onnxruntime, int8": (in_int8, 1),
    "openvino": (opened("openvino"), 1),
    "openvino, bfloat16": (opened("openvino", precision="bfloat16"), 1),
    "ncnn": (in_ncnn, 1),
    "engine": (opened("engine"), 1),
    "engine, bfloat16": (opened("engine", precision="bfloat16"), 1),
}


def config_of(model):
    """The shape of a network, without its weights."""
    metadata, _ = _core.model_file_layout(model)
    return TfcTdfConfig.model_validate_json(metadata["neurdsp.config"])


def recording(config, n_samples, seed=0):
    """Decaying bursts of noise: loud and quiet passages of every frequency, ``(channels, n_samples)``."""
    rng = np.random.default_rng(seed)
    decay = np.exp(-(np.arange(n_samples) % 11_025) / 2_500.0)
    return (0.3 * decay * rng.standard_normal((config.audio_channels, n_samples))).astype(np.float32)


def chunk_of(config, frames):
    return recording(config, (frames - 1) * config.hop_length)


def peak_mib():
    """Peak of this program; ``ru_maxrss`` would count its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(name, model, folder, frames):
    """Run a pass, and return what it cost; None if the engine had to be made first."""
    make, batch = ENGINES[name]
    config = config_of(model)
    before = time.process_time()
    forward = make(model, folder=folder, frames=frames)
    if forward is None:
        return None
    chunk = chunk_of(config, frames)
    fixed = "ncnn" in name or "compiled" in name
    warm = chunk if fixed else chunk_of(config, min(WARM_UP_FRAMES, frames))
    if name != "ncnn":
        forward(warm[None])
    load_s = time.process_time() - before
    chunks = np.repeat(chunk[None], batch, axis=0)
    before = time.process_time()
    stems = forward(chunks)
    cpu_s = (time.process_time() - before) / batch
    result = {"cpu_s": cpu_s, "load_s": load_s, "peak_mib": peak_mib()}
    reference = folder / f"reference-{frames}.npy"
    if name == REFERENCE:
        np.save(reference, stems[0])
    elif reference.exists():
        result["null_db"] = parity_error_db(np.load(reference), stems[0])
    return result


def main(name, model, folder, frames):
    print(json.dumps(measure(name, Path(model), Path(folder), int(frames))))


if __name__ == "__main__":
    main(*sys.argv[1:])
