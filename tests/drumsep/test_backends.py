"""Every engine gives the stems of torch, chunk by chunk, and says in one line what it cannot do."""

import sys

import numpy as np
import pytest
import torch
from neurdsp.drumsep.backends import BACKENDS, open_network
from neurdsp.drumsep.export import write_network
from neurdsp.drumsep.stored import read_network
from neurdsp.errors import MissingDependencyError, ParameterError, UnsupportedModelError
from neurdsp.modelfile import parity_error_db

#: The largest error beside torch in float32, in dB; the engine's convolutions are Winograd's.
NULL_DB = {"engine": -85.0, "torch": -120.0, "onnxruntime": -105.0, "openvino": -100.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_network, tiny_config):
    path = tmp_path_factory.mktemp("backends") / "tiny.safetensors"
    weights = {name: tensor.numpy() for name, tensor in tiny_network.state_dict().items()}
    write_network(weights, tiny_config, path)
    return path


def noise(*shape):
    return np.random.default_rng(sum(shape)).uniform(-0.5, 0.5, shape).astype(np.float32)


def in_torch(network, chunks):
    with torch.inference_mode():
        return network(torch.from_numpy(chunks)).numpy()


@pytest.mark.parametrize("backend", NULL_DB)
def test_every_backend_gives_the_stems_of_torch(backend, model, tiny_network, tiny_config):
    network = open_network(model, backend=backend)
    assert network.config == tiny_config
    for batch, frames in ((1, 32), (3, 32), (2, 16)):
        chunks = noise(batch, 2, (frames - 1) * tiny_config.hop_length)
        stems = network.forward(chunks)
        assert (stems.shape, stems.dtype) == ((batch, 5, *chunks.shape[1:]), np.float32)
        assert parity_error_db(in_torch(tiny_network, chunks), stems) < NULL_DB[backend]


@pytest.mark.parametrize("backend", NULL_DB)
def test_chunks_of_a_batch_do_not_mix_and_a_last_partial_hop_is_no_hole(backend, model, tiny_config):
    network = open_network(model, backend=backend)
    chunks = noise(2, 2, tiny_config.chunk_samples + 40)
    both, alone = network.forward(chunks), network.forward(chunks[1:])
    assert parity_error_db(alone[0], both[1]) < -110
    assert np.abs(both[..., -40:]).max() > 1e-3


def test_the_engine_in_bfloat16_loses_bits_but_no_more_and_the_same_on_any_threads(model, tiny_config):
    chunks = noise(1, 2, tiny_config.chunk_samples)
    wanted = open_network(model).forward(chunks)
    stems = open_network(model, precision="bfloat16").forward(chunks)
    again = open_network(model, precision="bfloat16", threads=2).forward(chunks)
    assert np.array_equal(stems, again)
    # A processor without the instructions multiplies in single precision.
    error_db = parity_error_db(wanted, stems)
    assert np.array_equal(wanted, stems) or -60 < error_db < -10


@pytest.mark.parametrize("threads", [1, 2])
def test_no_chunk_hears_what_another_left_in_memory(threads, model, tiny_config):
    network = open_network(model, threads=threads)
    long, short = (noise(1, 2, (frames - 1) * tiny_config.hop_length) for frames in (32, 16))
    first = [network.forward(long), network.forward(short)]
    loud = network.forward(1e4 * long)
    assert np.abs(loud).max() > np.abs(first[0]).max()
    assert np.array_equal(network.forward(short), first[1])
    network.release()
    assert np.array_equal(network.forward(long), first[0])


@pytest.mark.parametrize("backend", NULL_DB)
def test_silence_is_exactly_silent(backend, model, tiny_config):
    stems = open_network(model, backend=backend).forward(
        np.zeros((1, 2, tiny_config.chunk_samples), np.float32)
    )
    assert not stems.any()


def test_autocast_and_channels_last_change_little_and_compiling_nothing(model, tiny_config):
    from neurdsp.drumsep.backends.pytorch import TorchNetwork

    chunks, stored = noise(1, 2, tiny_config.chunk_samples), read_network(model)
    wanted = TorchNetwork(stored).forward(chunks)
    assert parity_error_db(wanted, TorchNetwork(stored, channels_last=True).forward(chunks)) < -110
    assert -45 < parity_error_db(wanted, TorchNetwork(stored, precision="bfloat16").forward(chunks)) < -15


def test_mistakes_are_named(model, tiny_config, monkeypatch):
    for options, message in (
        ({"backend": "tensorrt"}, "backend is 'tensorrt', but must be one of engine, torch"),
        ({"threads": 0}, "threads is 0, but must be at least 1"),
        ({"precision": "int4"}, "precision is 'int4', but the backend engine has float32"),
        ({"backend": "torch", "precision": "int8"}, "the backend torch on cpu has float32, bfloat16"),
        ({"device": "cuda"}, "the backend engine runs on cpu; choose the backend torch"),
        ({"backend": "torch", "device": "tpu"}, "device is 'tpu', but must be auto, cpu or cuda"),
    ):
        with pytest.raises(ParameterError, match=message):
            open_network(model, **options)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ParameterError, match="torch sees no GPU; choose cpu"):
        open_network(model, backend="torch", device="cuda")
    network = open_network(model)
    for shape in ((2, tiny_config.chunk_samples), (1, 1, tiny_config.chunk_samples), (0, 2, 1984)):
        with pytest.raises(ParameterError, match=r"is needed"):
            network.forward(np.zeros(shape, np.float32))
    with pytest.raises(ParameterError, match="has 1920 samples and 31 frames"):
        network.forward(np.zeros((1, 2, 1920), np.float32))


def test_another_kind_of_model_is_refused():
    from neurdsp.amp.lookup import find_model

    with pytest.raises(UnsupportedModelError, match=r"holds amp\..*but drumsep.tfc_tdf is needed"):
        open_network(find_model("ts9"))


@pytest.mark.parametrize(
    ("backend", "module", "extra"),
    [
        ("torch", "torch", "train"),
        ("onnxruntime", "onnxruntime", "onnx"),
        ("onnxruntime", "onnx", "onnx"),
        ("openvino", "openvino", "openvino"),
        ("openvino", "onnx", "openvino"),
    ],
)
def test_an_absent_package_is_named_with_its_extra(backend, module, extra, model, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"needs {module}, .*pip install 'neurdsp\[{extra}\]'"):
        open_network(model, backend=backend)


def test_the_bits_of_the_engine_depend_on_neither_batch_nor_threads(model, tiny_config):
    chunks = noise(3, 2, tiny_config.chunk_samples)
    stems = open_network(model, threads=2).forward(chunks)
    alone = open_network(model)
    assert all(np.array_equal(alone.forward(chunks[i : i + 1])[0], stems[i]) for i in range(3))


def test_every_backend_is_tried_here():
    assert set(NULL_DB) == set(BACKENDS)
