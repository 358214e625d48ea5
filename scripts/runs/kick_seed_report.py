"""Writes a page about a run of `neurdsp kick train seed`: curves of each stage, and sounds.

    .venv/bin/python scripts/runs/kick_seed_report.py RUN PREPARED MODEL REPORT.html [PER_WORD]

The sounds are held-out kicks: the prepared audio, its spectrogram through the vocoder, and the VAE's
reconstruction through the vocoder; and kicks that diffusion made of single keywords. The table tells which
share of PER_WORD kicks of each word, 30 by default, measures so, made by the engine with its default sampler,
beside the share of the kicks of the other words, than which a word that does nothing is no better, and of all
held-out kicks.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
from neurdsp import modelfile
from neurdsp.kick.data.measured import quantities_of, words_of
from neurdsp.kick.data.shards import Prepared, open_prepared
from neurdsp.kick.infer import KickGenerator
from neurdsp.kick.judge.words import rules_of, word_shares
from neurdsp.kick.mel.config import MelDiffusionConfig
from neurdsp.kick.mel.export import Networks
from neurdsp.kick.mel.tasks.diffusion import sampled
from neurdsp.kick.mel.tasks.vocoder import vocoded
from neurdsp.report.figure import new_figure, style
from neurdsp.report.page import embedded, fact_table, write_page

FIGURES = {"vae": ("l1", "mse"), "diffusion": ("mse", "mse_without_keywords"), "vocoder": ("mel_nats",)}


def curves(run: Path) -> bytes:
    """Return a picture of the figures on held-out kits over the steps of each stage."""
    figure = new_figure(11, 3.2)
    for axes, (stage, names) in zip(figure.subplots(1, len(FIGURES)), FIGURES.items(), strict=True):
        events = [json.loads(line) for line in (run / stage / "metrics.jsonl").read_text().splitlines()]
        events = [event for event in events if event["event"] == "validation"]
        for name in names:
            axes.plot(
                [event["step"] for event in events], [event[name] for event in events], "o-", label=name
            )
        axes.legend()
        style(axes, stage, "step", "held-out kits")
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def sound(samples: np.ndarray, sample_rate: int) -> str:
    """Return a player of a sound."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return f'<audio controls preload="none" src="{embedded(stream.getvalue(), "audio/flac")}"></audio>'


def words_table(data: Prepared, model: Path, per_word: int) -> str:
    """Return how often each word holds that a measure defines, by thresholds over the training split."""
    quantities = [
        item.quantities or quantities_of(data.audio(item), data.mel.sample_rate) for item in data.items
    ]
    _, at = words_of(quantities, [item.split == "train" for item in data.items])
    generator = KickGenerator.load(model)
    held = np.array([row for row, item in zip(quantities, data.items, strict=True) if item.split != "train"])
    rules = rules_of(generator, at)
    if not rules:
        return "<p>No measure defines a word of this model.</p>"
    made = word_shares(generator, rules, per_word=per_word, seed=0)
    shares = {word: (*made[word], rule.share(held)) for word, rule in rules.items()}
    shares["mean"] = tuple(np.mean([*shares.values()], axis=0))
    heads = ("word", "kicks of the word", "of other words", f"{len(held)} held-out kicks")
    lines = [heads, *((word, *(f"{one:.2f}" for one in own)) for word, own in shares.items())]
    print("\n".join("  ".join(f"{cell:<18}" for cell in line) for line in lines))
    return f"<table>{''.join('<tr><td>' + '</td><td>'.join(line) + '</td></tr>' for line in lines)}</table>"


def main(run: Path, prepared: Path, model: Path, target: Path, per_word: int = 30) -> None:
    """Write the page."""
    torch.set_num_threads(1)
    file, data = modelfile.read(model), open_prepared(prepared)
    config = MelDiffusionConfig(**file.config)
    weights = {name: np.asarray(file.tensors[name], np.float32) for name in config.parameter_shapes}
    networks = Networks(config, weights)
    rate, rows = config.mel.sample_rate, []

    def play(log_mel: torch.Tensor) -> np.ndarray:
        return vocoded(networks.vocoder, log_mel[None], config.mel)[0].numpy()

    for item in data.of("validation")[:4]:
        log_mel = torch.from_numpy(data.log_mel(item))
        with torch.no_grad():
            again = networks.vae.decode(networks.vae.encode(log_mel[None, None])[0])[0, 0]
        cells = [sound(one, rate) for one in (data.audio(item), play(log_mel), play(again))]
        rows.append(f"<tr><td>{item.kit}</td><td>" + "</td><td>".join(cells) + "</td></tr>")
    made = []
    for number, word in enumerate(config.keywords.words[:8]):
        unit = sampled(networks.denoiser, config, [[number]], n_steps=20, guidance=3.0, seed=number)
        latent = unit * networks.latent_std[:, None, None] + networks.latent_mean[:, None, None]
        with torch.no_grad():
            log_mel = networks.vae.decode(latent)[0, 0]
        made.append(f"<tr><td>{word}</td><td>{sound(play(log_mel), rate)}</td></tr>")
    facts = {name: f"{value:.4g}" for name, value in file.metrics.items()}
    head = "<tr><th>kit</th><th>prepared</th><th>vocoded</th><th>through the VAE</th></tr>"
    body = (
        f'<img alt="curves" src="{embedded(curves(run), "image/png")}">{fact_table(facts)}'
        f"<h2>Held-out kicks</h2><table>{head}{''.join(rows)}</table>"
        f"<h2>Kicks of single keywords</h2><table>{''.join(made)}</table>"
        f"<h2>Do words hold?</h2>{words_table(data, model, per_word)}"
    )
    write_page(target, title=f"Run of the preset seed: {run.name}", body=body)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]), *map(int, sys.argv[5:6]))
