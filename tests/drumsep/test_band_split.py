"""The network that plays live: its file proves itself, and the engine gives what torch does in any blocks."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from neurdsp import _core
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.export import write_band_split
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile import info, parity_error_db, read, verify

CONFIG = BandSplitConfig(
    n_fft=256,
    hop_length=32,
    stems=("kick", "snare", "toms"),
    bands=(1, 3, 4, 8, 20, 41, 52),
    n_phase_bins=16,
    mask_group=3,
    width=20,
    hidden=24,
    mixer=9,
    n_blocks=2,
    head=18,
)
LATENCY = 64


def random_network(config):
    torch.manual_seed(3)
    network = BandSplitNet(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter += 0.3 * torch.randn_like(parameter)
            if name.startswith("decoders"):
                parameter *= 2.0
    return network


def weights_of(network):
    return {name: value.numpy() for name, value in network.state_dict().items()}


@pytest.fixture(scope="module")
def network():
    return random_network(CONFIG)


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    target = tmp_path_factory.mktemp("bandsplit") / "tiny.safetensors"
    assert write_band_split(weights_of(network), CONFIG, target, dtype="F32", name="tiny").passed
    return target


@pytest.fixture(scope="module")
def separator(path):
    return DrumSeparator.load(path)


def noise(*shape):
    return np.random.default_rng(shape[-1]).uniform(-0.5, 0.5, shape).astype(np.float32)


def in_torch(network, audio):
    with torch.inference_mode():
        return network(torch.from_numpy(audio)[None])[0].numpy()


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_file_proves_itself_in_each_number_type(network, tmp_path, dtype):
    target = tmp_path / "net.safetensors"
    result = write_band_split(
        weights_of(network), CONFIG, target, dtype=dtype, metrics={"sdr": 1.5}, details={"note": "a test"}
    )
    assert result.passed
    assert result.error_db < -105
    told = info(target)
    assert (told.architecture, told.kind, told.channels) == ("drumsep.band_split", "stream", 2)
    assert told.n_parameters == CONFIG.n_parameters
    assert (told.stems, told.latency, told.chunk_samples) == (CONFIG.stems, LATENCY, None)
    assert ("latency", "64 samples, 1.5 ms") in told.rows()
    assert told.macs_per_second == CONFIG.macs_per_second
    file = read(target)
    assert (file.metadata["note"], file.dtypes["head.weight"]) == ("a test", dtype)


def test_the_default_shape_proves_itself_and_is_small(tmp_path):
    config = BandSplitConfig()
    target = tmp_path / "net.safetensors"
    result = write_band_split(weights_of(random_network(config)), config, target)
    assert result.error_db < -100
    assert target.stat().st_size < 3e6


@pytest.mark.parametrize("isa", _core.instruction_sets())
def test_every_instruction_set_proves_the_file(path, isa):
    code = f"from neurdsp.modelfile import verify; print(verify({os.fspath(path)!r}).error_db)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NEURDSP_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(run.stdout) < -105


@pytest.mark.parametrize("channels", [1, 2])
def test_separation_is_that_of_torch(separator, network, channels):
    audio = noise(channels, 4_321)
    audio[:, 2_000:3_000] = 0
    stems = separator.separate(audio, 44_100, residual=True)
    assert list(stems) == ["kick", "snare", "toms", "residual"]
    for stem, expected in zip(stems.values(), in_torch(network, audio), strict=True):
        assert parity_error_db(expected, stem) < -100


@pytest.mark.parametrize("block", [1, 7, 64, 256, 1000, 5_000])
def test_a_stream_gives_the_stems_of_the_whole_bit_by_bit(separator, block):
    audio = noise(2, 5_000)
    whole = separator.separate(audio, 44_100)
    stream = separator.stream()
    assert (stream.latency, stream.sample_rate) == (LATENCY, 44_100)
    blocks = [stream.process(audio[:, at : at + block]) for at in range(0, 5_000, block)]
    for stem, expected in whole.items():
        streamed = np.concatenate([outputs[stem] for outputs in blocks], axis=1)
        assert np.array_equal(streamed[:, LATENCY:], expected[:, :-LATENCY])


def test_the_outputs_of_a_stream_sum_to_what_came_in_before(separator):
    audio, stream = noise(5_000), separator.stream()
    outputs = stream.process(audio)
    assert {output.shape for output in outputs.values()} == {(5_000,)}
    total = np.sum([output.astype(np.float64) for output in outputs.values()], axis=0)
    assert parity_error_db(audio[:-LATENCY].astype(np.float64), total[LATENCY:]) < -120
    assert np.abs(total[:LATENCY]).max() < 1e-6
    stream.reset()
    assert np.array_equal(stream.process(audio)["kick"], outputs["kick"])
    assert stream.process(audio[:0])["kick"].shape == (0,)


def test_silence_is_exactly_silent(separator):
    stems = separator.separate(np.zeros((2, 9_000), np.float32), 44_100, residual=True)
    assert all((stem == 0).all() for stem in stems.values())
    audio = noise(2, 9_000)
    audio[1] = 0
    assert (separator.separate(audio, 44_100)["snare"][1] == 0).all()


def test_a_stream_that_rested_in_silence_goes_on_as_one_that_computed_it(separator, network):
    # 500 frames of zeros: longer than the longest memory of the network, so that the stream has come to rest.
    audio = np.concatenate([noise(2, 3_000), np.zeros((2, 16_000), np.float32), noise(2, 4_000)], axis=1)
    stream = separator.stream()
    blocks = [stream.process(audio[:, at : at + 500]) for at in range(0, audio.shape[1], 500)]
    for index, name in enumerate(separator.stems):
        streamed = np.concatenate([outputs[name] for outputs in blocks], axis=1)[:, LATENCY:]
        expected = in_torch(network, audio)[index][:, :-LATENCY]
        assert (streamed[:, 3_000 + CONFIG.n_fft : 19_000 - CONFIG.n_fft] == 0).all()
        assert parity_error_db(expected[:, 19_000:], streamed[:, 19_000:]) < -100


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
@pytest.mark.parametrize("n_samples", [1, 100, 5_001])
def test_other_rates_come_back_at_their_length_and_sum_to_the_recording(separator, rate, n_samples):
    audio = noise(n_samples)
    stems = separator.separate(audio, rate, tier="draft", residual=True)
    assert {stem.shape for stem in stems.values()} == {audio.shape}
    total = np.sum([stem.astype(np.float64) for stem in stems.values()], axis=0)
    assert parity_error_db(audio.astype(np.float64), total) < -120


def test_progress_ends_with_all_samples(separator):
    told = []
    separator.separate(noise(60_000), 44_100, progress=lambda *counts: told.append(counts))
    assert told[-1] == (60_000, 60_000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_a_stream_cannot_do_is_said_in_a_line(separator, tmp_path):
    with pytest.raises(ParameterError, match=r"tier is 'exact', but .* streams"):
        separator.separate(noise(100), 44_100, tier="exact")
    with pytest.raises(ParameterError, match=r"overlap is 4, but .* has no such choice"):
        separator.separate(noise(100), 44_100, overlap=4)
    with pytest.raises(ParameterError, match="block has 3 channels"):
        separator.stream().process(noise(3, 10))
    with pytest.raises(ParameterError, match=r"block: sample 0 is nan"):
        separator.stream().process(np.full(3, np.nan, np.float32))


def test_weights_that_do_not_fit_are_named_and_nothing_is_written(network, tmp_path):
    weights, target = weights_of(network), tmp_path / "net.safetensors"
    some = {name: value for name, value in weights.items() if name != "head.bias"}
    with pytest.raises(ParameterError, match=r"'head\.bias' is missing"):
        write_band_split(some, CONFIG, target)
    with pytest.raises(ParameterError, match="'extra' is not part of the network"):
        write_band_split({**weights, "extra": np.zeros(1, np.float32)}, CONFIG, target)
    with pytest.raises(ParameterError, match="float64 of shape"):
        write_band_split({**weights, "head.bias": weights["head.bias"].astype(np.float64)}, CONFIG, target)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_no_longer_proves_itself(path, tmp_path):
    content = bytearray(path.read_bytes())
    at = len(content) // 2
    content[at : at + 400] = b"\x00" * 400
    (tmp_path / "bad.safetensors").write_bytes(content)
    assert not verify(tmp_path / "bad.safetensors").passed


def test_a_network_of_chunks_does_not_stream(tmp_path):
    from neurdsp.drumsep.config import TfcTdfConfig
    from neurdsp.drumsep.export import write_network
    from neurdsp.drumsep.model import TfcTdfNet

    config = TfcTdfConfig(
        n_fft=256, hop_length=64, n_bins=128, chunk_samples=31 * 64, channels=4, growth=4, n_scales=3
    )
    state = {name: value.numpy() for name, value in TfcTdfNet(config).state_dict().items()}
    write_network(state, config, tmp_path / "chunks.safetensors")
    with pytest.raises(UnsupportedModelError, match="cannot play live"):
        DrumSeparator.load(tmp_path / "chunks.safetensors").stream()
