"""The second half of ``neurdsp demo``: a drum loop of our own, separated by the network that ships."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurdsp.audio import write_audio

if TYPE_CHECKING:
    from neurdsp.drumsep.judge.report import Separation

__all__ = ["DRUM_FILES", "DrumsReport", "run_drums"]

_STEMS = ("kick", "snare", "toms", "hihat", "cymbals")

#: What is written beside the files of the amp.
DRUM_FILES = ("drums.wav", *(f"drums-{name}.wav" for name in _STEMS), "drums.png", "drums.html")


@dataclass(frozen=True, slots=True)
class DrumsReport:
    """Figures of the drums.

    Attributes
    ----------
    network : str
        File name of the network.
    duration_s, separate_s : float
        Duration of the loop, and CPU time to separate it.
    scores_db : mapping
        By stem: SDR, and SDR if the loop itself is taken for the stem.
    """

    network: str
    duration_s: float
    separate_s: float
    scores_db: Mapping[str, tuple[float, float]]

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values as text."""
        return [
            ("drums", f"{self.duration_s:.1f} s separated in {self.separate_s:.2f} s of CPU time"),
            *(
                (f"SDR of {name}", f"{sdr_db:.1f} dB; the loop itself has {mixture_db:.1f} dB")
                for name, (sdr_db, mixture_db) in self.scores_db.items()
            ),
        ]


def run_drums(folder: Path) -> DrumsReport | None:
    """Render a loop, separate it, and write `DRUM_FILES`.

    Parameters
    ----------
    folder
        Where; it exists.

    Returns
    -------
    DrumsReport or None
        None, and no files, if no network ships with this build.

    Raises
    ------
    AudioFileError, OSError
        If a file cannot be written.
    """
    from neurdsp.drumsep.infer import DrumSeparator
    from neurdsp.drumsep.judge.report import Separation, write_listening_report
    from neurdsp.drumsep.lookup import DEFAULT_NETWORK, shipped_networks
    from neurdsp.drumsep.loop import render_loop

    if DEFAULT_NETWORK not in shipped_networks():
        return None
    loop, separator = render_loop(), DrumSeparator.load()
    start_s = time.process_time()
    stems = separator.separate(loop.mixture, loop.sample_rate)
    separate_s = time.process_time() - start_s
    found = Separation(mixture=loop.mixture, sample_rate=loop.sample_rate, stems=stems, truth=loop.stems)
    report = DrumsReport(
        separator.path.name, loop.mixture.shape[-1] / loop.sample_rate, separate_s, found.scores()
    )
    write_audio(folder / "drums.wav", loop.mixture, loop.sample_rate)
    for name in _STEMS:
        write_audio(folder / f"drums-{name}.wav", stems[name], loop.sample_rate)
    _draw(folder / "drums.png", found)
    write_listening_report(
        folder / "drums.html", found, title="neurdsp demo: drums", facts={"network": report.network}
    )
    return report


def _draw(path: Path, found: "Separation") -> None:
    """Draw a log-mel spectrogram of the loop and of each stem, at one scale."""
    from neurdsp.report.figure import new_figure, save_figure, style
    from neurdsp.report.mel import draw_mel, mel_levels_db, mel_ticks

    signals = {"loop": found.mixture, **found.stems}
    levels_db = {
        name: mel_levels_db(audio.mean(axis=0), found.sample_rate) for name, audio in signals.items()
    }
    figure = new_figure(11, 7)
    grid = figure.add_gridspec(3, 2)
    for number, (name, one) in enumerate(levels_db.items()):
        axes = figure.add_subplot(grid[number // 2, number % 2])
        duration_s = found.mixture.shape[-1] / found.sample_rate
        draw_mel(axes, one, duration_s=duration_s, top_db=float(levels_db["loop"].max()))
        style(axes, name, "time (s)", "frequency (Hz)")
        axes.grid(False)
        axes.set_yticks(*mel_ticks(found.sample_rate))
    save_figure(figure, path)
