"""AmpChain is its parts in order, aligned at any rate, and measures itself."""

import json
import threading

import numpy as np
import pytest
import soundfile
from neurdsp.amp import AmpChain, AmpModel, Cabinet, DCBlock, NoiseGate, ToneStack, render_file, render_files
from neurdsp.audio import read_audio, write_audio
from neurdsp.errors import AudioFileError, ModelFileError, ParameterError


@pytest.fixture
def sound(rng):
    envelope = np.repeat([0.5, 0.001, 0.3], 8_000)
    return (envelope * np.sin(np.arange(24_000) * 0.05)).astype(np.float32)


@pytest.fixture
def response():
    return (np.exp(-np.arange(3_000) / 400) * np.cos(np.arange(3_000) * 0.3)).astype(np.float32)


def test_the_chain_is_its_parts_in_order(amp_path, sound, response):
    chain = AmpChain(
        amp_path,
        ir=response,
        gate_on=True,
        gate_threshold_db=-40,
        input_gain_db=6,
        bass_db=4,
        treble_db=-3,
        output_gain_db=-6,
    )
    x = sound * np.float32(10 ** (6 / 20))
    x = NoiseGate(48_000, threshold_db=-40).process(x)
    amp = AmpModel.load(amp_path)
    # What the model puts out at rest is taken off before the DC block, so that a start is silent.
    x = amp.render(x, 48_000) - amp.render(np.zeros(8), 48_000)[-1]
    x = DCBlock(48_000).process(x)
    x = ToneStack(48_000, bass_db=4, treble_db=-3).process(x)
    x = Cabinet(response, 48_000).process(x) * np.float32(10 ** (-6 / 20))
    assert np.abs(chain.render(sound) - x).max() < 2e-6
    assert chain.latency == 0
    assert repr(chain) == "AmpChain(48000 Hz, 1 channels, latency 0 samples)"


def test_blocks_render_and_process_agree_bit_for_bit(amp_path, sound, response):
    chain = AmpChain(amp_path, ir=response, mid_db=3)
    whole = chain.render(sound)
    chain.reset()
    cut = [chain.process(sound[i : i + 777]) for i in range(0, sound.size, 777)]
    np.testing.assert_array_equal(np.concatenate(cut), whole)
    np.testing.assert_array_equal(chain.render(sound), whole)
    blocks = (sound[i : i + 500] for i in range(0, sound.size, 500))
    np.testing.assert_array_equal(np.concatenate(list(chain.render_blocks(blocks))), whole)


@pytest.mark.parametrize(("rate", "oversample"), [(44_100, 1), (96_000, 1), (48_000, 2), (44_100, 4)])
def test_render_is_aligned_where_the_model_is_resampled(amp_path, rate, oversample):
    """Without the model's nonlinearity in play the chain only delays, and render takes the delay out."""
    n = np.arange(6_000)
    pulse = np.exp(-0.5 * ((n - 3_000) / 30.0) ** 2).astype(np.float32)
    chain = AmpChain(
        amp_path, sample_rate=rate, oversample=oversample, model_on=False, dc_block_on=False, tone_on=False
    )
    assert chain.latency > 0
    np.testing.assert_allclose(chain.render(pulse), pulse, rtol=0, atol=2e-38)  # denormals are flushed
    late = chain.process(np.concatenate([pulse, np.zeros(chain.latency, np.float32)]))
    assert np.argmax(late) == 3_000 + chain.latency
    # With the model: the same as the model's own render, to the bit.
    chain.set(model_on=True)
    chain.reset()
    plain = AmpModel.load(amp_path).stream(rate, oversample=oversample)
    assert plain.latency == chain.latency
    padded = np.concatenate([pulse, np.zeros(plain.latency, np.float32)])
    np.testing.assert_array_equal(chain.render(pulse), plain.process(padded)[plain.latency :])


def test_channels_share_settings_and_have_a_state_each(amp_path, sound, response):
    stereo = AmpChain(amp_path, n_channels=2, ir=np.stack([response, response[::-1]]), bass_db=2)
    both = stereo.render(np.stack([sound, sound[::-1]]))
    assert both.shape == (2, sound.size)
    # Both responses are scaled by one factor, and have the same energy.
    np.testing.assert_array_equal(both[0], AmpChain(amp_path, ir=response, bass_db=2).render(sound))
    right = AmpChain(amp_path, ir=response[::-1].copy(), bass_db=2)
    assert np.abs(both[1] - right.render(sound[::-1].copy())).max() < 1e-6


def test_models_and_cabinets_fade_in_while_it_plays(amp_path, make_amp, tmp_path, response):
    chain = AmpChain(amp_path, fade_ms=10, dc_block_on=False)
    tone = (0.2 * np.sin(np.arange(4_800) * 0.02)).astype(np.float32)
    chain.process(tone)
    chain.load_model(make_amp(seed=5).write(tmp_path / "other.safetensors"))
    chain.load_ir(response)
    chain.process(tone)
    settled = chain.process(tone)
    other = AmpChain(tmp_path / "other.safetensors", ir=response, dc_block_on=False)
    other.process(tone)
    other.process(tone)
    assert np.abs(settled - other.process(tone)).max() < 1e-6
    chain.load_model(None)
    chain.load_ir(None)
    chain.process(tone)
    np.testing.assert_allclose(chain.process(tone), tone, atol=1e-7)


def test_settings_are_read_back_and_checked(amp_path):
    chain = AmpChain(amp_path)
    assert chain.settings["mix"] == 1
    assert chain.settings["gate_on"] is False
    chain.set(gate_on=True, output_mode="calibrated", bass_db=-3)
    assert chain.settings["gate_on"] is True
    assert chain.settings["output_mode"] == "calibrated"
    assert chain.settings["bass_db"] == -3
    for wrong, message in [
        ({"bass_db": 30}, "bass_db is 30, but it must be -20 to 20"),
        ({"base_db": 3}, "'base_db', but it must be one of input_gain_db"),
        ({"gate_on": 1}, "gate_on is 1, but it must be True or False"),
        ({"mix": "half"}, "mix is 'half', but it must be a number"),
        ({"output_mode": "loud"}, "output_mode is 'loud'"),
        ({"mix": float("nan")}, "mix is NaN"),
    ]:
        with pytest.raises(ParameterError, match=message):
            chain.set(**wrong)
    with pytest.raises(ParameterError, match="oversample is 3"):
        AmpChain(amp_path, oversample=3)
    with pytest.raises(ParameterError, match="n_channels is 0"):
        AmpChain(n_channels=0)
    with pytest.raises(ParameterError, match="fade_ms is -1"):
        AmpChain(fade_ms=-1)
    with pytest.raises(ModelFileError):
        AmpChain("no such amp")


def test_a_block_that_does_not_fit_is_refused(amp_path):
    chain = AmpChain(amp_path, n_channels=2)
    with pytest.raises(ParameterError, match="the block has 1 channels, but the chain has 2"):
        chain.process(np.zeros(10, np.float32))
    with pytest.raises(ParameterError, match="sample 3 of channel 1 is nan"):
        chain.process(np.array([[0, 0, 0, 0], [0, 0, 0, np.nan]]))
    assert chain.process(np.zeros((2, 0), np.float32)).shape == (2, 0)


def test_the_performance_is_read_while_another_thread_plays(amp_path, sound):
    chain = AmpChain(amp_path)
    done = threading.Event()

    def play():
        for i in range(0, sound.size, 64):
            chain.process(sound[i : i + 64])
        done.set()

    thread = threading.Thread(target=play)
    thread.start()
    seen = [chain.performance.blocks]
    while not done.is_set():
        seen.append(chain.performance.blocks)
    thread.join()
    report = chain.performance
    assert seen == sorted(seen)
    assert report.blocks == sound.size // 64
    assert 0 < report.median_us <= report.p99_us <= report.worst_us
    chain.reset_performance()
    assert chain.performance.blocks == 0


def test_render_file_with_settings_is_the_chain(amp_path, tmp_path, sound, response):
    write_audio(tmp_path / "dry.wav", sound, 44_100)
    write_audio(tmp_path / "cabinet.wav", response, 48_000)
    render_file(
        tmp_path / "dry.wav",
        tmp_path / "wet.wav",
        model=amp_path,
        ir=tmp_path / "cabinet.wav",
        treble_db=3,
        oversample=2,
    )
    wet, rate = read_audio(tmp_path / "wet.wav")
    chain = AmpChain(
        amp_path,
        sample_rate=44_100,
        oversample=2,
        ir=tmp_path / "cabinet.wav",
        treble_db=3,
        dc_block_on=False,
    )
    assert rate == 44_100
    np.testing.assert_array_equal(wet, chain.render(sound))


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("kind", ["peak first", "peak later"])
def test_the_cabinet_has_the_same_response_at_every_rate(kind, normalise, rng):
    """The response of the chain to a click at the rates of sessions, against that at the file's rate."""
    n = np.arange(2_000)
    samples = rng.standard_normal(n.size) * np.exp(-n / 300)
    if kind == "peak later":
        samples = np.concatenate([np.zeros(400), samples * (1 - np.exp(-n / 40)) ** 2])
    frequencies = np.geomspace(60, 18_000, 60)

    def gain_db(rate):
        chain = AmpChain(sample_rate=rate, dc_block_on=False)
        chain.load_ir(samples, ir_rate=48_000, normalise=normalise)
        chain.reset()
        click = np.zeros(rate // 4, np.float32)
        click[0] = 1
        turns = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(click.size)) / rate)
        return 20 * np.log10(np.abs(turns @ chain.render(click)))

    wanted = gain_db(48_000)
    audible = wanted > wanted.max() - 40
    for rate in (44_100, 88_200, 96_000, 192_000):
        assert np.abs(gain_db(rate) - wanted)[audible].max() < 0.1, rate


def test_the_channel_of_the_impulse_response_is_chosen(sound, response, tmp_path):
    stereo = np.stack([response, 0.5 * response[::-1]])
    soundfile.write(tmp_path / "stereo.wav", stereo.T, 48_000, subtype="FLOAT")

    def played(**options):
        return AmpChain(ir=options.pop("ir", tmp_path / "stereo.wav"), **options).render(sound)

    for channel, samples in [
        ("each", stereo[0]),
        ("left", stereo[0]),
        ("right", stereo[1]),
        (1, stereo[1]),
        ("1", stereo[1]),
        ("mean", stereo.mean(axis=0)),
    ]:
        wanted = played(ir=samples)
        assert np.abs(played(ir_channel=channel) - wanted).max() < 1e-6, channel
        alone = Cabinet(tmp_path / "stereo.wav", 48_000, channel=channel)
        same = Cabinet(samples.astype(np.float32), 48_000)
        assert np.abs(alone.process(sound) - same.process(sound)).max() < 1e-6, channel
    for wrong in ("middle", -1, 1.5, True):
        with pytest.raises(ParameterError, match="the channel of the impulse response is"):
            played(ir_channel=wrong)
    with pytest.raises(AudioFileError, match=r"stereo\.wav': the channel .* is 2, but it must be 0 to 1"):
        played(ir_channel=2)


def test_a_silent_impulse_response_is_refused_and_writes_nothing(amp_path, sound, response, tmp_path):
    write_audio(tmp_path / "dry.wav", sound, 48_000)
    stereo = np.stack([np.zeros_like(response), response])
    soundfile.write(tmp_path / "right.wav", stereo.T, 48_000)
    soundfile.write(tmp_path / "silent.wav", 0 * stereo.T, 48_000)
    out = tmp_path / "wet.wav"
    refused = r"right\.wav': the left channel .* is silent, .* choose another: the right channel"
    with pytest.raises(AudioFileError, match=refused):
        render_file(tmp_path / "dry.wav", out, model=amp_path, ir=tmp_path / "right.wav")
    with pytest.raises(AudioFileError, match=r"silent\.wav': the impulse response is silent"):
        render_file(tmp_path / "dry.wav", out, model=amp_path, ir=tmp_path / "silent.wav", ir_channel="mean")
    with pytest.raises(ParameterError, match="the right channel of the impulse response is silent"):
        AmpChain(ir=stereo[::-1].copy(), ir_channel="right")
    assert not out.exists()
    result = render_file(
        tmp_path / "dry.wav", out, model=amp_path, ir=tmp_path / "right.wav", ir_channel="right"
    )
    assert result.peak_db > -40


def _linear(path, taps, **change):
    document = {"version": "0.5.4", "architecture": "Linear", "weights": taps}
    config = {"receptive_field": len(taps), "bias": False}
    path.write_text(json.dumps(document | {"config": config} | change))
    return path


def test_a_model_that_puts_out_no_sound_writes_no_file(tmp_path, sound):
    write_audio(tmp_path / "dry.wav", sound, 48_000)
    with pytest.raises(ModelFileError, match=r"huge\.nam: the output of the model is malformed: a sample is"):
        AmpModel.load(_linear(tmp_path / "huge.nam", [1e30, 1e30]))
    # Loud but sound at full scale; not finite where the input is absurdly loud.
    loud = _linear(tmp_path / "loud.nam", [9e5])
    assert np.isfinite(AmpModel.load(loud).render(sound, 48_000)).all()
    with pytest.raises(ModelFileError, match="not finite, or over 120 dB"):
        AmpChain(loud, dc_block_on=False).render(10 * sound)
    (file,) = render_files([tmp_path / "dry.wav"], tmp_path / "out", model=loud, input_gain_db=60.0)
    assert "over 120 dB of full scale" in file.error
    assert not (tmp_path / "out" / "dry.wav").exists()


@pytest.mark.parametrize("stage", ["gate_on", "model_on", "tone_on", "cabinet_on", "dc_block_on", "mix"])
@pytest.mark.parametrize("model", ["fuzz", "ts9"])
def test_a_stage_switched_on_after_silence_is_silent(stage, model, sound, response):
    chain = AmpChain(model, ir=response, bass_db=6, gate_threshold_db=-80)
    off = 0.0 if stage == "mix" else False
    on = 1.0 if stage == "mix" else True
    chain.set(**{stage: on})
    chain.process(np.tile(sound, 2))
    chain.set(**{stage: off})
    chain.process(sound)
    chain.process(np.zeros(5 * 48_000, np.float32))
    chain.set(**{stage: on})
    heard = np.abs(chain.process(np.zeros(48_000, np.float32)))
    # Without the DC block the offset of the model itself is heard, and fades out.
    assert heard[9_600 if stage == "dc_block_on" else 0 :].max() < 1e-6


@pytest.mark.parametrize("model", ["clean", "crunch", "fuzz", "highgain", "screamer", "ts9"])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_start_and_reset_are_silent(model, rate, sound):
    chain = AmpChain(model, sample_rate=rate, bass_db=10)
    assert np.abs(chain.process(np.zeros(rate // 4, np.float32))).max() < 1e-6
    chain.process(sound)
    chain.reset()
    assert np.abs(chain.process(np.zeros(rate // 4, np.float32))).max() < 1e-6
