"""No command writes over an input, and only ``--overwrite`` replaces what exists: tried with every output."""

import io
import json
import os
import shutil
import struct
import tarfile
import typing
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from neurdsp._guard import Reads, Writes, marks
from neurdsp.cli import app

#: By command and parameter that is written: a call, with OUT for the output.
CALLS = {
    ("amp render", "output"): "amp render dry.wav -m amp.safetensors --ir short.wav -o OUT",
    ("amp compare", "plot"): "amp compare dry.wav near.wav -p OUT",
    ("amp compare", "ab"): "amp compare dry.wav near.wav --ab OUT",
    ("amp evaluate", "plot"): "amp evaluate amp.safetensors --data dry.wav near.wav -p OUT",
    ("amp check", "plot"): "amp check dry.wav near.wav -p OUT",
    ("amp signal", "output"): "amp signal --sample-rate 44100 -o OUT",
    ("amp capture", "output"): "amp capture -i dry.wav --device Test -o OUT",
    ("amp train", "model_path"): "amp train dry.wav near.wav --config config.yaml -o OUT",
    ("amp train-knobs", "model_path"): "amp train-knobs manifest.yaml -o OUT",
    ("drumsep export-onnx", "target"): "drumsep export-onnx drums.safetensors OUT",
    ("drumsep prepare", "output"): "drumsep prepare --groove groove.tar --kit strokes --synthesised 0 -o OUT",
    (
        "drumsep report",
        "output",
    ): "drumsep report stereo.wav -m drums.safetensors --tier fast --seconds 0.1 -o OUT",
    ("drumsep export", "output"): "drumsep export run -o OUT",
    ("drumsep distil", "output"): "drumsep distil drums.safetensors groove.tar -c config.yaml -o OUT",
    ("drumsep prune", "output"): "drumsep prune drums.safetensors groove.tar -c config.yaml -o OUT",
    ("kick export", "output"): "kick export kicks -o OUT",
    ("music humanise", "output"): "music humanise beat.mid -o OUT",
    ("music dynamics", "output"): "music dynamics beat.mid -o OUT",
    ("music harmonise", "output"): "music harmonise tune.mid --models . -o OUT",
    ("music harmonise", "report"): "music harmonise tune.mid --models . -o new.mid --report OUT",
    ("music continue", "output"): "music continue tune.mid --models . --bars 1 -o OUT",
    ("music continue", "report"): "music continue tune.mid --models . --bars 1 -o new.mid --report OUT",
    ("music report", "output"): "music report beat.mid -o OUT",
    ("music emotion", "plot"): "music emotion near.wav --models . --plot OUT",
    ("music prepare", "output"): "music prepare groove --groove groove.tar -o OUT",
    ("music export", "output"): "music export music notes.safetensors -o OUT",
    ("music prune", "output"): "music prune net.safetensors notes.safetensors -o OUT",
    ("music distil", "output"): "music distil net.safetensors notes.safetensors -o OUT",
    ("music quantise", "output"): "music quantise net.safetensors notes.safetensors -o OUT",
    ("kick export-fast", "output"): "kick export-fast fastrun -o OUT",
    ("kick resynthesise", "output"): "kick resynthesise dry.wav -o OUT",
    ("model convert", "target"): "model convert amp.safetensors OUT",
    ("plugin preset", "output"): "plugin preset -m amp.safetensors --ir short.wav -o OUT",
}
#: Their outputs are folders, whose files the command checks; see the tests below and those of train_many.
FOLDERS = {
    ("mel", "output"),
    ("demo", "output"),
    ("drumsep separate", "output"),
    ("drumsep render", "output"),
    ("drumsep train", "run_dir"),
    ("drumsep distil", "run_dir"),
    ("drumsep prune", "run_dir"),
    ("kick aggregate", "output"),
    ("kick prepare", "output"),
    ("kick train seed", "run_dir"),
    ("kick train fast", "run_dir"),
    ("kick generate", "output"),
    ("kick vary", "output"),
    ("kick interpolate", "output"),
    ("kick train-vae", "run_dir"),
    ("kick train-diffusion", "run_dir"),
    ("kick train-vocoder", "run_dir"),
    ("kick encode", "run_dir"),
    ("music train", "run_dir"),
    ("music prune", "run_dir"),
    ("music distil", "run_dir"),
    ("music quantise", "run_dir"),
    ("amp train-many", "folder"),
    ("amp train", "run_dir"),
    ("amp train-knobs", "run_dir"),
}
SUFFIXES = {"plot": ".png", "target": ".json", "model_path": ".safetensors"}
INPUTS = (
    "dry.wav",
    "near.wav",
    "short.wav",
    "amp.safetensors",
    "drums.safetensors",
    "groove.tar",
    "beat.mid",
    "notes.safetensors",
    "net.safetensors",
    "config.yaml",
    "manifest.yaml",
)


def commands(command, path=()):
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def is_path(hint) -> bool:
    return hint is Path or any(is_path(part) for part in typing.get_args(hint))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_path_of_every_command_says_whether_it_is_read_or_written(name):
    command = COMMANDS[name]
    if command.callback is None or hasattr(command, "commands"):
        return
    marked = marks(command.callback)
    for parameter, hint in typing.get_type_hints(command.callback).items():
        assert not is_path(hint) or parameter in marked, f"{name}: mark {parameter} with neurdsp._guard"
    for option in command.params:
        words = f"{option.name} {getattr(option, 'help', '') or ''}".lower()
        if "file to write" in words or "folder for" in words or "output" in option.opts:
            assert isinstance(marked.get(option.name), Writes), f"{name}: {option.name} is written"
    files = [mark for mark in marked.values() if isinstance(mark, Writes)]
    assert not files or "overwrite" in {option.name for option in command.params}


def test_every_output_of_every_command_is_tried_here():
    outputs = {
        (name, parameter)
        for name, command in COMMANDS.items()
        if command.callback is not None
        for parameter, mark in marks(command.callback).items()
        if isinstance(mark, Writes)
    }
    assert outputs == set(CALLS) | FOLDERS
    for name, parameter in FOLDERS:
        assert marks(COMMANDS[name].callback)[parameter].kind == "folder"


@pytest.fixture
def lv2(tmp_path, monkeypatch):
    """Stand-ins for the programs of LV2; `lv2apply` copies its input."""
    folder = tmp_path / "bin"
    folder.mkdir()
    info = (
        "urn:test#t\n\n\tName: Test\n\n"
        "\tPort 0:\n\t\tType: http://lv2plug.in/ns/lv2core#AudioPort\n"
        "\t\t      http://lv2plug.in/ns/lv2core#InputPort\n\t\tSymbol: in\n\t\tName: In\n\n"
        "\tPort 1:\n\t\tType: http://lv2plug.in/ns/lv2core#AudioPort\n"
        "\t\t      http://lv2plug.in/ns/lv2core#OutputPort\n\t\tSymbol: out\n\t\tName: Out\n"
    )
    (folder / "info").write_text(info)
    for name, body in [
        ("lv2ls", '[ "$1" = -n ] && echo "Test" || echo urn:test#t'),
        ("lv2info", f'cat "{folder}/info"'),
        ("lv2apply", 'cp "$2" "$4"'),
    ]:
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture(scope="session")
def drums(tmp_path_factory):
    """A small drum network, as bytes."""
    from neurdsp.drumsep.config import TfcTdfConfig
    from neurdsp.drumsep.export import write_network

    config = TfcTdfConfig(
        n_fft=64, hop_length=16, n_bins=32, chunk_samples=112, channels=2, growth=2, n_scales=2, n_subbands=2
    )
    rng = np.random.default_rng(0)
    weights = {
        name: rng.uniform(0.1, 1.0, shape).astype(np.float32)
        for name, shape in config.parameter_shapes.items()
    }
    path = tmp_path_factory.mktemp("drums") / "drums.safetensors"
    write_network(weights, config, path)
    return path.read_bytes()


def write_drum_data(folder):
    """A folder with a recording of a stroke, and an archive with a performance."""
    (folder / "strokes").mkdir()
    decay = np.exp(-np.arange(4000) / 800)
    soundfile.write(folder / "strokes" / "snare.wav", decay * np.sin(np.arange(4000) / 9), 44_100)
    track = b"\x00\x99\x26\x64" + b"\x60\x26\x64" * 12
    midi = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(track)) + track
    table = b"midi_filename,split,time_signature\n0.mid,train,4-4\n"
    with tarfile.open(folder / "groove.tar", "w") as archive:
        for name, data in (("info.csv", table), ("0.mid", midi)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.fixture(scope="session")
def run_of_drums(tmp_path_factory):
    """The folder of a run of training, with random weights."""
    import torch
    from neurdsp.config import save_yaml
    from neurdsp.drumsep.bandsplit.network import BandSplitNet
    from neurdsp.drumsep.bandsplit.recipe import load_recipe
    from neurdsp.training.checkpoint import save_checkpoint

    folder = tmp_path_factory.mktemp("drums") / "run"
    folder.mkdir()
    recipe = load_recipe("tiny")
    save_yaml(recipe, folder / "config.yaml")
    torch.manual_seed(0)
    weights = BandSplitNet(recipe.model).state_dict()
    facts = {"step": 1, "seconds": 1.0, "best_metrics": {"score": 1.0}}
    save_checkpoint(folder / "checkpoint.pt", {"best_state": weights, **facts})
    return folder


@pytest.fixture(scope="session")
def run_of_kicks(tmp_path_factory):
    """The folder of a run of all stages of the preset `seed-tiny`, with random weights."""
    import torch
    from neurdsp.config import save_yaml
    from neurdsp.kick.mel.config import MelDiffusionConfig
    from neurdsp.kick.mel.networks.discriminators import Discriminators
    from neurdsp.kick.mel.networks.unet import Denoiser
    from neurdsp.kick.mel.networks.vae import MelVae
    from neurdsp.kick.mel.networks.vocoder import HifiGan
    from neurdsp.kick.mel.recipe import load_recipe
    from neurdsp.kick.mel.tasks.vocoder import VocoderGan
    from neurdsp.kick.mel.train import StageRun, weights_hash
    from neurdsp.training.checkpoint import save_checkpoint
    from safetensors.numpy import save_file

    folder, recipe = tmp_path_factory.mktemp("kicks") / "run", load_recipe("seed-tiny")
    tree = recipe.model.model_dump()
    model = MelDiffusionConfig(**{**tree, "keywords": {**tree["keywords"], "words": ("deep",)}})
    torch.manual_seed(0)
    critics = Discriminators(recipe.vocoder.discriminators)
    vae = MelVae(model.vae, model.mel)
    networks = {
        "vae": vae,
        "diffusion": Denoiser(model),
        "vocoder": VocoderGan(HifiGan(model.vocoder, model.mel.n_mels), critics),
    }
    for stage, network in networks.items():
        (folder / stage).mkdir(parents=True)
        training = getattr(recipe, stage).training
        save_yaml(StageRun(model=model, training=training), folder / stage / "config.yaml")
        state = {"best_state": network.state_dict(), "step": 1, "best_metrics": {"score": 1.0}}
        save_checkpoint(folder / stage / "checkpoint.pt", state)
    statistics = {"mean": np.zeros(2, np.float32), "std": np.ones(2, np.float32)}
    save_file(statistics, folder / "latents.safetensors", {"vae": weights_hash(vae.state_dict())})
    return folder


@pytest.fixture(scope="session")
def music(tmp_path_factory):
    """A folder with notes to train on, a network, and the folder of a run, with random weights."""
    import torch
    from neurdsp.config import save_yaml
    from neurdsp.music.config import EmotionConfig, MelodyConfig
    from neurdsp.music.dataset import SPLITS, Dataset
    from neurdsp.music.export import export_network
    from neurdsp.music.model import (
        DynamicsEngine,
        EmotionRecognizer,
        HarmonyPredictor,
        MelodyTransformer,
    )
    from neurdsp.music.recipe import load_recipe
    from neurdsp.training.checkpoint import save_checkpoint

    folder = tmp_path_factory.mktemp("music")
    notes = np.array([(120 * step, 42, 60 + step, 9) for step in range(32)], np.int64)
    pieces = np.array([(0, 32, 480, 500_000, 4, 4, 1, 0)], np.int64)
    arrays = {f"{split}.{name}": a for split in SPLITS for name, a in (("notes", notes), ("pieces", pieces))}
    Dataset("dynamics", arrays).save(folder / "notes.safetensors")
    torch.manual_seed(0)
    network = DynamicsEngine()
    export_network(network, folder / "net.safetensors")
    hears = EmotionRecognizer(EmotionConfig(first=8, second=8, hidden=8, outputs=8))
    export_network(hears, folder / "emotion.safetensors")
    export_network(HarmonyPredictor(), folder / "harmony.safetensors")
    shape = MelodyConfig(width=8, heads=1, head_width=8, hidden=8, blocks=1)
    export_network(MelodyTransformer(shape), folder / "melody.safetensors")
    (folder / "music").mkdir()
    save_yaml(load_recipe("dynamics"), folder / "music" / "config.yaml")
    facts = {"step": 1, "seconds": 1.0, "best_metrics": {"score": 1.0}}
    save_checkpoint(folder / "music" / "checkpoint.pt", {"best_state": network.state_dict(), **facts})
    return folder


def write_beat(path, channel=9):
    from neurdsp.midi import NOTE, MidiFile, write_midi

    notes = np.zeros(16, NOTE)
    notes["start_ticks"] = 240 * np.arange(16)
    notes["end_ticks"] = notes["start_ticks"] + 60
    notes["pitch"], notes["velocity"], notes["channel"] = 42, 90, channel
    write_midi(path, MidiFile.new().with_track(notes))


@pytest.fixture(scope="session")
def run_of_fast_kicks(tmp_path_factory):
    """The folder of a run of all stages of the preset `fast-tiny`, on codes that nobody measured."""
    from neurdsp.kick.attributes import QUANTITIES
    from neurdsp.kick.hybrid.config import load_recipe
    from neurdsp.kick.hybrid.train import STAGES, train
    from neurdsp.kick.synth import synthesise

    folder = tmp_path_factory.mktemp("fast") / "run"
    (folder / "data").mkdir(parents=True)
    measured = np.random.default_rng(0).standard_normal((250, len(QUANTITIES)))
    code = synthesise(250)[0].flat()
    source = np.full(250, "synthesis")
    np.savez(folder / "data" / "synthesis_000.npz", code=code, measured=measured, source=source)
    train(load_recipe("fast-tiny"), folder, stages=STAGES[1:])
    return folder


@pytest.fixture
def place(files, lv2, drums, run_of_drums, run_of_kicks, run_of_fast_kicks, music):
    """The recordings, a network, a configuration and a manifest."""
    (files / "drums.safetensors").write_bytes(drums)
    (files / "config.yaml").write_text("architecture: amp.wavenet\n")
    write_drum_data(files)
    shutil.copytree(run_of_drums, files / "run")
    shutil.copytree(music, files, dirs_exist_ok=True)
    write_beat(files / "beat.mid")
    write_beat(files / "tune.mid", channel=0)
    shutil.copytree(run_of_kicks, files / "kicks")
    shutil.copytree(run_of_fast_kicks, files / "fastrun")
    (files / "manifest.yaml").write_text(
        "input: dry.wav\nknobs: {gain: {}}\ncaptures:\n"
        "- {output: near.wav, positions: {gain: 0}}\n- {output: short.wav, positions: {gain: 1}}\n"
    )
    return files


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "bin" not in path.parts
    }


def ways_to(path: Path) -> dict[str, str]:
    """Names that lead to a file."""
    folder = path.parent
    symbolic, hard = folder / f"symbolic{path.suffix}", folder / f"hard{path.suffix}"
    symbolic.symlink_to(path.name)
    os.link(path, hard)
    (folder / "sub").mkdir(exist_ok=True)
    names = [path.name, f"./{path.name}", f"sub/../{path.name}", str(path), symbolic.name, hard.name]
    if (folder / path.name.upper()).exists():  # a file system that ignores case
        names.append(path.name.upper())
    return dict(zip(names, names, strict=True))


@pytest.mark.parametrize(
    ("key", "source"),
    [(key, word) for key, call in CALLS.items() for word in call.split() if word in INPUTS],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_an_output_that_leads_to_an_input_is_refused_always(run, place, key, source):
    names = ways_to(place / source)
    before = contents(place)
    for name in names:
        for more in ([], ["--overwrite"]):
            done = run(*CALLS[key].replace("OUT", name).split(), *more)
            assert done.status == 2, (name, more, done)
            assert "also an input" in done.err, done.err
            assert "give another name" in done.err
            assert done.err.count("\n") == 1
            assert contents(place) == before, (name, more)


@pytest.mark.parametrize(
    "key",
    [key for key in CALLS if marks(COMMANDS[key[0]].callback)[key[1]].kind == "file"],
    ids=" ".join,
)
def test_an_output_that_exists_is_replaced_only_if_the_user_says_so_and_is_told(run, place, key):
    suffix = ".vstpreset" if key[0] == "plugin preset" else SUFFIXES.get(key[1], ".wav")
    out = f"precious{suffix}"
    (place / out).write_bytes(b"precious")
    before = contents(place)
    call = CALLS[key].replace("OUT", out).split()
    done = run(*call)
    assert done.status == 2, done
    assert f"'{out}': it exists already" in done.err
    assert "--overwrite" in done.err
    assert contents(place) == before
    done = run(*call, "--overwrite")
    assert done.status == 0, done
    assert f"replaced {out}\n" in done.err
    assert (place / out).read_bytes() != b"precious"
    after = contents(place)
    assert {name for name in before if before[name] != after[name]} == {out}
    # A new output is no replacement.
    (place / out).unlink()
    (place / "new.mid").unlink(missing_ok=True)  # the other output of two calls
    done = run(*call, "--overwrite")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("name", ["config.json", "weights.npy"])
def test_the_files_of_a_model_that_is_a_folder_are_inputs(run, place, name):
    folder = place / "old"
    folder.mkdir()
    np.save(folder / "weights.npy", np.float32([0.5, 0.25]))
    config = {"receptive_field": 2, "bias": False}
    document = {"version": "0.5.0", "architecture": "Linear", "config": config, "sample_rate": 48_000}
    (folder / "config.json").write_text(json.dumps(document))
    assert run("amp", "render", "dry.wav", "-m", "old", "-o", "wet.wav").status == 0
    before = contents(place)
    for call in (
        ["amp", "evaluate", "old", "--data", "dry.wav", "near.wav", "-p", f"old/{name}"],
        ["model", "convert", "old", f"old/{name}"],
        ["amp", "compare", "old/config.json", "dry.wav", "-p", f"./old/{name}"],
    )[: 3 if name == "config.json" else 2]:
        done = run(*call, "--overwrite")
        assert done.status == 2
        assert "also an input" in done.err
        assert contents(place) == before


def test_two_outputs_of_one_name_are_refused(run, place):
    done = run("amp", "compare", "dry.wav", "near.wav", "-p", "x.wav", "--ab", "./x.wav")
    assert done.status == 2
    assert "are one file; give two names" in done.err
    assert not (place / "x.wav").exists()


def test_a_failed_command_replaces_nothing_and_says_nothing_of_it(run, place):
    (place / "out.wav").write_bytes(b"precious")
    done = run("amp", "render", "nan.wav", "-m", "amp.safetensors", "-o", "out.wav", "--overwrite")
    assert done.status == 2
    assert "replaced" not in done.err
    assert (place / "out.wav").read_bytes() == b"precious"


def test_render_of_several_files_keeps_those_that_exist(run, place):
    (place / "wet").mkdir()
    (place / "wet" / "dry.wav").write_bytes(b"precious")
    call = ["amp", "render", "dry.wav", "near.wav", "-m", "amp.safetensors", "-o", "wet"]
    done = run(*call)
    assert done.status == 1
    assert "'wet/dry.wav' exists already and was kept; --overwrite replaces it" in done.err
    assert (place / "wet" / "dry.wav").read_bytes() == b"precious"
    assert soundfile.info(place / "wet" / "near.wav").frames == 20_000
    assert run(*call, "--overwrite").status == 0
    assert soundfile.info(place / "wet" / "dry.wav").frames == 20_000


@pytest.mark.parametrize("target", ["near.wav", "short.wav", "amp.safetensors"])
def test_render_of_several_files_never_writes_over_any_input(run, place, target):
    (place / "wet").mkdir()
    (place / "wet" / "dry.wav").symlink_to(f"../{target}")
    before = contents(place)
    call = ["amp", "render", "dry.wav", "near.wav", "-m", "amp.safetensors", "--ir", "short.wav", "-o", "wet"]
    for more in ([], ["--overwrite"]):
        done = run(*call, *more)
        assert done.status == 2, done
        assert "would be overwritten" in done.err
        assert contents(place) == before


def test_mel_never_writes_over_audio_or_what_it_did_not_make(run, place):
    corpus = place / "corpus"
    corpus.mkdir()
    for name in ("a.wav", "b.wav"):
        soundfile.write(corpus / name, np.full(9_000, 0.1, np.float32), 22_050)
    (corpus / "a.npy").write_bytes(b"precious")
    before = contents(place)
    done = run("mel", "corpus", "-o", "corpus")
    assert done.status == 2
    assert "'corpus/a.npy': it exists already, and was not made by neurdsp mel" in done.err
    assert contents(place) == before
    (corpus / "a.npy").unlink()
    (corpus / "manifest.jsonl").write_text('{"audio_filepath": "a.wav", "text": "precious"}\n')
    before = contents(place)
    done = run("mel", "corpus", "-o", "corpus")
    assert done.status == 2
    assert "'corpus/manifest.jsonl': it exists already, and was not made by neurdsp mel" in done.err
    assert contents(place) == before
    (corpus / "manifest.jsonl").unlink()
    (corpus / "b.npy").symlink_to("a.wav")
    before = contents(place)
    for more in ([], ["--overwrite"]):
        done = run("mel", "corpus", "-o", "corpus", *more)
        assert done.status == 2
        assert "leads to 'corpus/a.wav', an input" in done.err
        assert contents(place) == before
    (corpus / "b.npy").unlink()
    # A manifest whose first line was cut short is that of a run that was stopped.
    (corpus / "manifest.jsonl").write_text('{"file": "a.wav", "outp')
    assert run("mel", "corpus", "-o", "corpus").status == 0
    assert run("mel", "corpus", "-o", "corpus", "--n-mels", "40").status == 0  # its own results it renews


def test_mel_of_a_file_named_like_its_result_is_refused(run, place):
    (place / "x.npy").write_bytes((place / "dry.wav").read_bytes())
    before = contents(place)
    done = run("mel", "x.npy", "-o", ".", "--overwrite")
    assert done.status == 2
    assert "an input, which would be lost" in done.err
    assert contents(place) == before


def test_the_demo_runs_again_but_not_over_files_of_others(run, place):
    (place / "dry.wav").rename(place / "mine.wav")
    for _ in range(2):
        assert run("demo", "-o", "demo", "-m", "amp.safetensors").status == 0
    (place / "other").mkdir()
    (place / "other" / "dry.wav").write_bytes(b"precious")
    done = run("demo", "-o", "other", "-m", "amp.safetensors")
    assert done.status == 2
    assert "'other/dry.wav': it exists already" in done.err
    assert sorted(path.name for path in (place / "other").iterdir()) == ["dry.wav"]
    assert run("demo", "-o", "other", "-m", "amp.safetensors", "--overwrite").status == 0
    (place / "demo" / "report.png").unlink()
    (place / "demo" / "report.png").symlink_to("../amp.safetensors")
    before = (place / "amp.safetensors").read_bytes()
    done = run("demo", "-o", "demo", "-m", "amp.safetensors", "--overwrite")
    assert done.status == 2
    assert "also an input" in done.err
    assert (place / "amp.safetensors").read_bytes() == before


def test_reading_marks_are_only_for_paths():
    for command in COMMANDS.values():
        if command.callback is not None:
            hints = typing.get_type_hints(command.callback)
            for name, mark in marks(command.callback).items():
                assert not isinstance(mark, Reads) or is_path(hints[name])
