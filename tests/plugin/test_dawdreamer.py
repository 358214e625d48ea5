"""The plugin in dawdreamer: a graph that renders offline, with automation."""

import numpy as np
import pytest
from neurdsp.amp import AmpChain

daw = pytest.importorskip("dawdreamer")


@pytest.fixture
def render(bundle):
    """A function that renders a stereo signal through the plugin with a preset."""

    def through(preset, audio, *, rate=48_000, block=512, automate=None):
        engine = daw.RenderEngine(rate, block)
        stereo = np.stack([audio, audio])
        plugin = engine.make_plugin_processor("amp", bundle)
        assert plugin.load_vst3_preset(preset)
        for name, values in (automate or {}).items():
            index = next(p["index"] for p in plugin.get_parameters_description() if p["name"] == name)
            assert plugin.set_automation(index, values.astype(np.float32))
        graph = [(engine.make_playback_processor("clip", stereo), []), (plugin, ["clip"])]
        assert engine.load_graph(graph)
        assert engine.render(audio.size / rate)
        return engine.get_audio()[:, : audio.size]

    return through


@pytest.mark.parametrize(("rate", "block"), [(48_000, 1), (48_000, 8192), (44_100, 441), (96_000, 512)])
def test_it_nulls_against_the_engine(render, preset, amp, guitar, bare, null_db, rate, block):
    clip = guitar[:12_000]
    played = render(preset(amp, **bare), clip, rate=rate, block=block)
    chain = AmpChain(amp, sample_rate=rate, tone_on=False, dc_block_on=False)
    expected = chain.render(clip)
    # The host does not move the sound back by the latency that the plugin reports.
    latency = chain.latency
    assert null_db(played[0, latency:], expected[: expected.size - latency]) < -110
    np.testing.assert_array_equal(played[0], played[1])


def test_automation_is_followed_within_20_ms(render, preset, amp, guitar, bare):
    steady = np.full(guitar.size, 0.5)
    down = np.where(np.arange(guitar.size) < guitar.size // 2, 0.5, 0.0)
    still = render(preset(amp, **bare), guitar, automate={"Output": steady})
    turned = render(preset(amp, **bare), guitar, automate={"Output": down})
    half = guitar.size // 2 - 512
    np.testing.assert_array_equal(turned[:, :half], still[:, :half])
    late = guitar.size // 2 + 2 * 960
    np.testing.assert_allclose(turned[:, late:], still[:, late:] * 10 ** (-24 / 20), atol=1e-6)
