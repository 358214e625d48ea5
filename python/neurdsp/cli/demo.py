"""``neurdsp demo``: a guitar through an amp, drums taken apart, kicks, a beat humanised, and reports."""

import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp._output import atomic_output, check_output
from neurdsp.audio import FloatArray, read_audio, write_audio
from neurdsp.cli.demo_drums import DRUM_FILES, DrumsReport, run_drums
from neurdsp.cli.demo_kick import KICK_FILES, KicksReport, run_kicks
from neurdsp.cli.demo_music import MUSIC_FILES, MusicReport, run_music
from neurdsp.errors import ModelFileError
from neurdsp.report.mel import N_MELS

__all__ = ["DemoReport", "demo", "run_demo"]

_MODEL = "crunch"
_FILES = ("dry.wav", "amped.wav", "report.png", "report.txt")


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Figures of the demo.

    Attributes
    ----------
    amp, architecture : str
        Name and architecture of the model.
    n_parameters, receptive_field : int
        Number of weights, and of input samples that an output sample depends on.
    sample_rate : float
        Of the model, in Hz.
    esr_at_export : float or None
        Error-to-signal ratio from the model file, measured on audio that was not used in training.
    verify_db, threshold_db : float
        Error of the file's test vector in this engine, and the largest error that the file allows.
    duration_s, render_s, mel_s : float
        Duration of the clip, CPU time to render it, and wall time of the log-mel spectrogram.
    dry_peak_db, amped_peak_db : float
        Peaks in dBFS.
    drums : DrumsReport or None
        What separated the drum loop; None if no such network ships with this build.
    kicks : KicksReport or None
        What made the kicks; None if no generator ships with this build.
    music : MusicReport or None
        What became of the beat.
    """

    amp: str
    architecture: str
    n_parameters: int
    receptive_field: int
    sample_rate: float
    esr_at_export: float | None
    verify_db: float
    threshold_db: float
    duration_s: float
    render_s: float
    mel_s: float
    dry_peak_db: float
    amped_peak_db: float
    drums: DrumsReport | None = None
    kicks: KicksReport | None = None
    music: MusicReport | None = None

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values as text."""
        esr = "not recorded" if self.esr_at_export is None else f"{self.esr_at_export:.3g}"
        return [
            ("amp", f"{self.amp} ({self.architecture})"),
            ("parameters", f"{self.n_parameters:,}"),
            ("receptive field", f"{self.receptive_field:,} samples at {self.sample_rate:g} Hz"),
            ("ESR at export", esr),
            ("verify", f"{self.verify_db:.1f} dB, must be below {self.threshold_db:g} dB: passed"),
            ("rendered", f"{self.duration_s:.2f} s in {self.render_s:.3f} s of CPU time"),
            ("speed", f"{self.duration_s / self.render_s:.0f} x real time on one core"),
            ("log-mel", f"{N_MELS} bands in {1e3 * self.mel_s:.1f} ms"),
            ("peaks", f"dry {self.dry_peak_db:.1f} dBFS, amped {self.amped_peak_db:.1f} dBFS"),
            *(
                [("drums", "no network for them ships with this build")]
                if self.drums is None
                else self.drums.rows()
            ),
            *(
                [("kicks", "no generator of them ships with this build")]
                if self.kicks is None
                else self.kicks.rows()
            ),
            *([] if self.music is None else self.music.rows()),
        ]


def run_demo(
    folder: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> DemoReport:
    """Render a clip through an amp, take a loop apart, make kicks, humanise a beat, and write reports.

    The loop is our own synthesis; all goes through what ships, and nothing needs torch or scipy.

    Parameters
    ----------
    folder : path-like
        Folder for ``dry.wav``, ``amped.wav``, ``report.png`` and ``report.txt``, and for ``drums.wav``,
        ``drums-kick.wav`` and the other stems, ``drums.png`` and ``drums.html``, for eight kicks and
        ``kicks.png``, and for ``beat.mid``, ``beat-humanised.mid``, ``beat.png`` and ``beat.html``; created
        if absent.
    model : str or path-like, optional
        A model file, or the name of a shipped amp; ``crunch`` by default.
    overwrite : bool
        Whether files of these names may be replaced that no demo wrote.

    Returns
    -------
    DemoReport
        Figures of the demo.

    Raises
    ------
    ModelFileError
        If the model cannot be loaded, or its test vector does not pass.
    AudioFileError
        If a file cannot be written.
    FileExistsError
        If a file would be lost: the model, or one of these names that no demo wrote.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> run_demo("demo").verify_db < -100  # doctest: +SKIP
    True
    """
    from neurdsp import modelfile
    from neurdsp.amp import AmpModel, shipped_amps, shipped_clip
    from neurdsp.amp.lookup import find_model
    from neurdsp.dependencies import require
    from neurdsp.metrics import peak_db
    from neurdsp.report.mel import mel_levels_db

    require("matplotlib", extra="plot", purpose="the demo's picture")
    if model is None:
        amps = shipped_amps()
        if not amps:
            raise ModelFileError("this build of neurdsp ships no amp; give a model file with --model")
        model = _MODEL if _MODEL in amps else amps[0]
    path, target = find_model(model), Path(folder)
    if target.is_dir():
        for name in (*_FILES, *DRUM_FILES, *KICK_FILES, *MUSIC_FILES):
            check_output(target / name, inputs=[path])
            guard.check_new(target / name, overwrite=overwrite or _is_demo(target))
    amp = AmpModel.load(path)
    proof = modelfile.verify(path)
    if not proof.passed:
        raise ModelFileError(
            f"'{path}' does not compute what was trained: the error is {proof.error_db:.1f} dB, "
            f"but at most {proof.threshold_db:g} dB is allowed; export the model again"
        )
    dry, sample_rate = read_audio(shipped_clip(), mono=True)
    start = time.thread_time()  # the engine runs in this thread; other programs do not count
    amped = amp.render(dry, sample_rate)
    render_s = time.thread_time() - start
    start = time.perf_counter()
    mel_db = mel_levels_db(amped, sample_rate)
    mel_s = time.perf_counter() - start
    metrics = json.loads(amp.metadata.get("neurdsp.metrics", "{}"))
    report = DemoReport(
        amp=amp.metadata.get("neurdsp.name", path.stem),
        architecture=amp.architecture,
        n_parameters=amp.n_parameters,
        receptive_field=amp.receptive_field,
        sample_rate=amp.sample_rate,
        # A model with knobs has the error at their default positions only.
        esr_at_export=metrics.get("esr", metrics.get("test_esr")) if isinstance(metrics, dict) else None,
        verify_db=proof.error_db,
        threshold_db=proof.threshold_db,
        duration_s=dry.size / sample_rate,
        render_s=render_s,
        mel_s=mel_s,
        dry_peak_db=peak_db(dry),
        amped_peak_db=peak_db(amped),
    )
    target.mkdir(parents=True, exist_ok=True)
    report = replace(report, drums=run_drums(target), kicks=run_kicks(target), music=run_music(target))
    write_audio(target / "dry.wav", dry, sample_rate)
    write_audio(target / "amped.wav", amped, sample_rate)
    _draw(target / "report.png", report, dry, amped, mel_db, sample_rate)
    width = max(len(name) for name, _ in report.rows())
    with atomic_output(target / "report.txt") as temporary:
        temporary.write_text(
            "".join(f"{name:{width}}  {value}\n" for name, value in report.rows()), encoding="utf-8"
        )
    return report


def _is_demo(folder: Path) -> bool:
    """Tell whether an earlier demo wrote the files of a folder: its report is there."""
    try:
        head = (folder / "report.txt").read_bytes()[:4096].decode("utf-8", "replace")
    except OSError:
        return False
    return head.startswith("amp ") and "\nverify " in head


def _draw(
    path: Path, report: DemoReport, dry: FloatArray, amped: FloatArray, mel_db: FloatArray, sample_rate: int
) -> None:
    from neurdsp.report.figure import COLOURS, Envelope, new_figure, save_figure, style
    from neurdsp.report.mel import draw_mel, mel_ticks

    figure = new_figure(10, 8)
    figure.suptitle(
        f"{report.amp}   ·   {report.n_parameters:,} parameters   ·   "
        f"{report.duration_s / report.render_s:.0f} x real time   ·   verify {report.verify_db:.0f} dB",
        fontsize=12,
        parse_math=False,
    )
    grid = figure.add_gridspec(3, 1, height_ratios=[1, 1, 1.8])
    for row, (title, signal, colour) in enumerate(
        [("Dry guitar", dry, COLOURS["target"]), ("Amped", amped, COLOURS["predicted"])]
    ):
        axes = figure.add_subplot(grid[row])
        envelope = Envelope(signal.size)
        envelope.update(signal)
        envelope.draw(axes, sample_rate, color=colour)
        axes.set_xlim(0, signal.size / sample_rate)
        style(axes, title, "time (s)", "amplitude")
    axes = figure.add_subplot(grid[2])
    image = draw_mel(axes, mel_db, duration_s=dry.size / sample_rate, top_db=float(mel_db.max()))
    style(axes, "Log-mel of the amped signal", "time (s)", "frequency (Hz)")
    axes.grid(False)
    axes.set_yticks(*mel_ticks(sample_rate))
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("dB", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    save_figure(figure, path)


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for sound, picture and report."), guard.FOLDER
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="Model file, or name of a shipped amp.")] = "",
    overwrite: guard.Overwrite = False,
) -> None:
    """Play a guitar through an amp, take a loop apart, make kicks, humanise a beat, and write reports."""
    from neurdsp.console import print_table

    report = run_demo(output, model=model or None, overwrite=overwrite)
    print_table(report.rows(), title="neurdsp demo")
    names = [*_FILES, *(() if report.drums is None else ("drums.html", "drums.png", "drums*.wav"))]
    names += [*(() if report.kicks is None else ("kicks.png", "kick-*.wav")), "beat*"]
    typer.echo(f"\nwritten: {', '.join(str(output / name) for name in names)}")
