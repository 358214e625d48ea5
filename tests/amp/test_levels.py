"""Levels and facts about a device: measured, written, carried along, and asked for where they lack."""

import datetime
import json

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpChain, AmpModel, shipped_amps
from neurdsp.amp.about import AboutConfig
from neurdsp.amp.commands.options import about_facts, about_settings
from neurdsp.amp.lookup import find_model
from neurdsp.amp.play.levels import check_levels
from neurdsp.audio import read_audio, write_audio
from neurdsp.cli import app
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.metrics import rms_db
from neurdsp.modelfile.loudness import measure_levels, standard_input
from typer.testing import CliRunner

FACTS = {"gear_make": "Acme", "gear_model": "5150", "input_level_dbu": 18.3, "output_level_dbu": 12.3}


@pytest.fixture
def bare(tmp_path):
    """A model file that says nothing about its capture."""
    file = modelfile.read(find_model("ts9"))
    metadata = {key: text for key, text in file.metadata.items() if key != "neurdsp.capture"}
    modelfile.write(tmp_path / "bare.safetensors", metadata, file.tensors)
    return tmp_path / "bare.safetensors"


def linear(taps, **metadata):
    return {
        "version": "0.5.4",
        "architecture": "Linear",
        "config": {"receptive_field": len(taps), "bias": False},
        "weights": list(taps),
        "sample_rate": 48000,
        "metadata": metadata,
    }


def two_sizes(lite, full, **own):
    submodels = [{"max_value": 0.5, "model": linear([0.5], **lite)}]
    submodels.append({"max_value": 1.0, "model": linear([0.5, 0.25], **full)})
    return {
        "version": "0.7.0",
        "architecture": "SlimmableContainer",
        "config": {"submodels": submodels},
        "weights": [],
        "sample_rate": 48000,
        **({"metadata": own} if own else {}),
    }


def written(path, document):
    path.write_text(json.dumps(document))
    return path


def test_the_standard_input_is_pink_at_minus_15_db():
    for rate in (44_100, 48_000, 96_000):
        clip = standard_input(rate)
        assert clip.size == rate
        assert rms_db(clip) == pytest.approx(-15, abs=0.01)
        power = np.abs(np.fft.rfft(clip.astype(np.float64))) ** 2
        octaves = [power[low : 2 * low].sum() for low in 2 ** np.arange(2, 14)]
        assert 10 * np.log10(max(octaves) / min(octaves)) < 0.6


@pytest.mark.parametrize(
    ("play", "loudness", "gain"),
    [
        (lambda clip: clip, -15.0, 0.0),
        (lambda clip: -0.5 * clip, -21.02, 0.0),
        (lambda clip: 0.1 * np.sign(clip), -20.0, 0.818),  # constant but at rest: (10 - 5.5) / 5.5
    ],
)
def test_loudness_and_gain_follow_their_definitions(play, loudness, gain):
    levels = measure_levels(play, 48_000)
    assert levels["loudness"] == pytest.approx(loudness, abs=0.011)
    assert levels["gain"] == pytest.approx(gain, abs=2e-3)


def test_a_model_that_is_silent_or_not_finite_has_no_levels():
    assert measure_levels(lambda clip: 0 * clip, 48_000) == {}
    assert measure_levels(lambda clip: clip * np.float32(np.nan), 48_000) == {}


@pytest.mark.parametrize("name", shipped_amps())
def test_every_shipped_amp_says_how_loud_it_is_and_what_it_models(name):
    amp = AmpModel.load(name)
    said = amp.capture
    assert said["loudness"] == pytest.approx(rms_db(amp.render(standard_input(48_000), 48_000)), abs=0.006)
    assert -20 < said["loudness"] < -12
    assert 0 <= said["gain"] <= 1
    assert said["modeled_by"] == "neurdsp"
    assert said["gear_make"] == "guitarix"
    assert said["gear_model"]
    assert AboutConfig(gear_type=said["gear_type"], tone_type=said["tone_type"])
    datetime.date(*(said["date"][part] for part in ("year", "month", "day")))
    assert said["name"] == amp.metadata["neurdsp.name"]


def test_shipped_amps_are_equally_loud_once_normalised(tmp_path):
    clip = standard_input(48_000)
    write_audio(tmp_path / "dry.wav", clip, 48_000)
    levels = {}
    for mode in ("raw", "normalised"):
        levels[mode] = []
        for name in shipped_amps():
            command = ["amp", "render", str(tmp_path / "dry.wav"), "-m", name]
            output = tmp_path / f"{name}-{mode}.wav"
            done = CliRunner().invoke(app, [*command, "-o", str(output), "--output-mode", mode])
            assert done.exit_code == 0, done.output
            levels[mode].append(rms_db(read_audio(output)[0]))
    assert max(levels["raw"]) - min(levels["raw"]) > 4
    assert levels["normalised"] == pytest.approx([-18.0] * len(levels["normalised"]), abs=0.1)


def test_facts_go_into_every_format_and_replace_those_of_the_source(tmp_path, bare):
    for suffix in (".nam", ".safetensors"):
        done = modelfile.convert(bare, tmp_path / f"said{suffix}", capture=FACTS)
        assert AmpModel.load(done.target).capture.items() >= FACTS.items()
    assert modelfile.verify(tmp_path / "said.safetensors").passed
    for source, target in (("said.nam", "back.safetensors"), ("said.safetensors", "there.nam")):
        changed = modelfile.convert(tmp_path / source, tmp_path / target, capture={"gear_make": "Other"})
        told = AmpModel.load(changed.target).capture
        assert told["gear_make"] == "Other"
        assert told["input_level_dbu"] == 18.3
    again = modelfile.convert(tmp_path / "back.safetensors", tmp_path / "again.nam")
    assert json.loads(again.target.read_text())["metadata"]["gear_make"] == "Other"


def test_describing_a_model_file_changes_no_bit_of_its_tensors(tmp_path, bare):
    modelfile.convert(bare, tmp_path / "said.safetensors", capture={"modeled_by": "Someone", "name": "Mine"})
    before, after = modelfile.read(bare), modelfile.read(tmp_path / "said.safetensors")
    assert before.dtypes == after.dtypes
    assert all(before.tensors[key].tobytes() == after.tensors[key].tobytes() for key in before.tensors)
    assert after.metadata["neurdsp.name"] == "Mine"


def test_a_model_without_levels_gets_them_on_its_way_to_nam(tmp_path, bare):
    done = modelfile.convert(bare, tmp_path / "amp.nam")
    told = AmpModel.load(done.target).capture
    shipped = AmpModel.load("ts9").capture
    assert (told["loudness"], told["gain"]) == (shipped["loudness"], shipped["gain"])
    assert any(text.startswith("loudness") for text in done.added)


def test_the_knobs_of_a_model_do_not_take_its_levels_along(tmp_path):
    done = modelfile.convert(find_model("crunch"), tmp_path / "crunch.nam", capture={"gear_model": "Chump"})
    told, shipped = AmpModel.load(done.target).capture, AmpModel.load("crunch").capture
    assert told == {
        **shipped,
        "gear_model": "Chump",
        **({"training": told["training"]} if "training" in told else {}),
    }


def test_json_holds_no_facts(tmp_path, bare):
    with pytest.raises(ParameterError, match="JSON holds no facts about a device"):
        modelfile.convert(bare, tmp_path / "amp.json", capture=FACTS)


def test_the_command_writes_what_it_is_given_and_names_what_is_allowed(tmp_path, bare):
    out = tmp_path / "out.nam"
    command = ["model", "convert", str(bare), str(out)]
    facts = ["--modeled-by", "A N Other", "--gear-make", "Acme", "--gear-model", "5150", "--gear-type", "amp"]
    facts += ["--tone-type", "hi_gain", "--input-dbu", "18.3", "--output-dbu", "-2"]
    done = CliRunner().invoke(app, [*command, *facts])
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text())["metadata"]
    assert (told["modeled_by"], told["gear_model"], told["output_level_dbu"]) == ("A N Other", "5150", -2.0)
    for option, value, allowed in (("--gear-type", "car", "pedal_amp"), ("--input-dbu", "500", "60")):
        with pytest.raises(ConfigError, match=allowed):
            about_facts(about_settings(**{option.strip("-").replace("-", "_"): value}))


def test_facts_are_not_lost_beside_another_number_type(tmp_path, bare):
    with pytest.raises(ParameterError, match=r"facts about the device \(gear_model\) take two conversions"):
        modelfile.convert(bare, tmp_path / "x.safetensors", dtype="F16", capture={"gear_model": "X"})


def test_odd_names_come_through_as_they_were_given():
    for name in ("5150", "null", "yes", "a: b", "#1", '"quoted"', "Ünïted ☃"):
        assert about_facts(about_settings(gear_model=name)) == {"gear_model": name}


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"output_mode": "normalised"}, "loudness"),
        ({"output_mode": "calibrated"}, "--output-dbu"),
        ({"calibrate_input": True, "interface_level_dbu": 12.0}, "--input-dbu"),
    ],
)
def test_a_level_that_the_file_lacks_is_refused_with_the_way_to_it(bare, settings, option):
    amp = AmpModel.load(bare)
    with pytest.raises(ParameterError) as caught:
        check_levels(amp, settings)
    message = str(caught.value)
    assert option in message
    assert "'TS9'" in message
    assert "neurdsp model convert" in message
    assert "\n" not in message


def test_a_chain_warns_that_a_setting_has_no_effect(bare, recwarn):
    with pytest.warns(UserWarning, match="does not say the loudness"):
        AmpChain(bare, output_mode="normalised")
    chain = AmpChain(bare)
    with pytest.warns(UserWarning, match="--input-dbu"):
        chain.set(calibrate_input=True)
    recwarn.clear()
    AmpChain("ts9", output_mode="normalised").set(bass_db=3)
    assert not recwarn.list


def test_calibrated_says_which_interface_it_assumes(tmp_path, bare):
    modelfile.convert(bare, tmp_path / "said.safetensors", capture=FACTS)
    write_audio(tmp_path / "dry.wav", standard_input(48_000), 48_000)
    command = ["amp", "render", str(tmp_path / "dry.wav"), "-m", str(tmp_path / "said.safetensors")]
    command += ["-o", str(tmp_path / "wet.wav"), "--output-mode", "calibrated"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "taken as 12 dBu" in done.stderr
    # 12.3 dBu at full scale of the recording is 0.3 dB over an interface of 12 dBu.
    raw = rms_db(AmpModel.load(bare).render(standard_input(48_000), 48_000))
    assert rms_db(read_audio(tmp_path / "wet.wav")[0]) == pytest.approx(raw + 0.3, abs=0.05)


@pytest.mark.parametrize("text", ["-18", " -18.0 dB", "−18", "-18,0", "-18 dBFS"])
def test_a_level_that_is_text_is_read_as_the_number_it_says(tmp_path, text):
    amp = AmpModel.load(written(tmp_path / "amp.nam", linear([0.5], loudness=text)))
    assert amp.capture["loudness"] == -18.0
    check_levels(amp, {"output_mode": "normalised"})


def test_text_that_says_no_number_is_named_where_it_is_wanted_and_shown(tmp_path):
    path = written(tmp_path / "amp.nam", linear([0.5], loudness="very"))
    with pytest.raises(ParameterError, match="gives loudness as 'very', which is no number"):
        check_levels(AmpModel.load(path), {"output_mode": "normalised"})
    told = CliRunner().invoke(app, ["model", "info", str(path)]).stdout
    assert "'very', which is no number" in " ".join(told.split())


def test_each_size_of_a_container_has_its_own_loudness_and_the_device_of_all(tmp_path):
    lite, full = (
        {"loudness": -30.0},
        {"loudness": -20.3, "gain": 0.8, "gear_make": "Acme", "input_level_dbu": 18.3},
    )
    path = written(tmp_path / "amp.nam", two_sizes(lite, full))
    for source in (path, modelfile.convert(path, tmp_path / "amp.safetensors").target):
        assert AmpModel.load(source).capture == full
        assert AmpModel.load(source, size=0).capture == {
            "loudness": -30.0,
            "gear_make": "Acme",
            "input_level_dbu": 18.3,
        }
    back = modelfile.convert(tmp_path / "amp.safetensors", tmp_path / "back.nam").target
    assert json.loads(back.read_text()) == json.loads(path.read_text())


def test_a_container_names_the_device_and_its_sizes_the_levels(tmp_path):
    path = written(tmp_path / "amp.nam", two_sizes({"loudness": -30.0}, {}, loudness=-20.0, gear_make="Acme"))
    assert AmpModel.load(path).capture == {"loudness": -20.0, "gear_make": "Acme"}
    assert AmpModel.load(path, size=0).capture == {"loudness": -30.0, "gear_make": "Acme"}
