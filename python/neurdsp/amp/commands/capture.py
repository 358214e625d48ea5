"""The commands that make and check recordings: ``neurdsp amp signal``, ``capture`` and ``check``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import options

if TYPE_CHECKING:
    from neurdsp.amp.capture.report import Examined, Report, Side
    from neurdsp.amp.config import AmpConfig

__all__ = ["capture", "check", "signal"]

_MAX_KNOBS_WITH_CORNERS = 3
"""Up to so many knobs, corners are captured by default: at most eight more captures."""


@guard.guarded
def signal(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, 24-bit PCM."), guard.FILE],
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", help="In Hz; also the sample rate of the model.")
    ] = 48_000,
    seed: Annotated[int, typer.Option(help="Seed of the notes and the noise.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Write the signal to play into a device: three minutes that cover its behaviour and check themselves."""
    from neurdsp.amp.capture.signal import write_capture_signal
    from neurdsp.console import print_table
    from neurdsp.metrics import peak_db, rms_db

    made = write_capture_signal(output, sample_rate, seed=seed)
    facts = {
        "output": str(output),
        "sample_rate": sample_rate,
        "seconds": made.size / sample_rate,
        "peak_db": peak_db(made),
        "rms_db": rms_db(made),
        "seed": seed,
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    print_table(
        [
            ("output", str(output)),
            ("length", f"{facts['seconds']:.0f} s at {sample_rate} Hz"),
            ("level", f"peak {facts['peak_db']:.1f} dBFS, {facts['rms_db']:.1f} dB RMS"),
            ("next", "play it into the device, record the output, then: neurdsp amp check IN OUT"),
        ]
    )


@guard.guarded
def capture(
    input_path: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="File to play, mono: 'neurdsp amp signal' makes one."),
        guard.READS,
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write, 32-bit float; with --sweep, a folder."),
        guard.Writes(when=lambda values: values.get("n_settings") is None and not values.get("list_them")),
    ] = None,
    device: Annotated[str | None, typer.Option(help="URI or name of an LV2 plugin; see --list.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="CONTROL=VALUE", help="Value of a control; repeatable."),
    ] = None,
    n_settings: Annotated[
        int | None, typer.Option("--sweep", metavar="N", help="Capture at N settings of the --knob options.")
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--knob", metavar="[NAME=]CONTROL[:LOW:HIGH]", help="Knob to sweep; repeatable."),
    ] = None,
    n_test: Annotated[
        int, typer.Option("--test", metavar="N", help="With --sweep, N further settings for testing.")
    ] = 0,
    corners: Annotated[
        bool | None,
        typer.Option(
            help="With --sweep, also capture where every knob is at an end. [default: up to three knobs]",
            show_default=False,
        ),
    ] = None,
    n_active: Annotated[
        int,
        typer.Option(
            "--active",
            metavar="N",
            help="With --sweep, N further settings, each where small models disagree most. Needs torch.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the settings of a sweep.")] = 0,
    list_them: Annotated[
        bool, typer.Option("--list", help="List devices, or the controls of --device, and exit.")
    ] = False,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Play a recording through an LV2 plugin: a device to model without hardware."""
    from dataclasses import asdict

    from neurdsp.amp.capture import lv2
    from neurdsp.console import print_table
    from neurdsp.errors import ParameterError

    if list_them:
        _list(device, as_json)
        return
    missing = [
        option
        for option, value in (("--input", input_path), ("--output", output), ("--device", device))
        if value is None
    ]
    if input_path is None or output is None or device is None:
        raise ParameterError(
            f"capture needs {', '.join(missing)}; 'neurdsp amp capture --list' shows the devices"
        )
    controls = dict(_setting(text) for text in settings or ())
    if n_settings is not None:
        plan = _SweepPlan(knobs or [], n_settings, n_test, n_active, corners, seed)
        _sweep(input_path, output, device, controls, plan, as_json, overwrite)
        return
    if knobs or n_active:
        raise ParameterError("--knob and --active need --sweep N; without a sweep, give --set CONTROL=VALUE")
    result = lv2.capture(input_path, output, device, controls)
    if as_json:
        typer.echo(json.dumps({"output": str(output), **asdict(result)}))
        return
    print_table(
        [
            ("output", str(output)),
            ("device", result.device),
            ("controls", ", ".join(f"{name}={value:g}" for name, value in result.controls.items()) or "none"),
            ("length", f"{result.n_samples / result.sample_rate:.2f} s at {result.sample_rate} Hz"),
            ("level", f"peak {result.peak_db:.1f} dBFS, {result.rms_db:.1f} dB RMS"),
        ]
    )


@dataclass(frozen=True)
class _SweepPlan:
    """The options of a sweep."""

    knobs: list[str]
    n_train: int
    n_test: int
    n_active: int
    corners: bool | None
    seed: int


def _sweep(
    input_path: Path,
    folder: Path,
    device: str,
    fixed: dict[str, float],
    plan: _SweepPlan,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Capture at many settings, and print a line for each."""
    from neurdsp.amp.capture import lv2, lv2_info
    from neurdsp.amp.capture.manifest import Setting
    from neurdsp.amp.capture.sweep import parse_knob, sweep
    from neurdsp.dependencies import require

    if plan.n_active:
        require("torch", extra="train", purpose="capture --active")
    found = lv2_info.describe_device(lv2_info.find_device(device))

    def tell(setting: Setting, result: lv2.CaptureResult | None) -> None:
        where = "  ".join(f"{name} {position:.3f}" for name, position in setting.positions.items())
        level = "exists" if result is None else f"{result.rms_db:.1f} dB RMS, peak {result.peak_db:.1f} dBFS"
        if not as_json:
            typer.echo(f"{setting.output}  {where}  {level}")

    path = sweep(
        input_path,
        folder,
        found.uri,
        dict(parse_knob(text, found) for text in plan.knobs),
        n_train=plan.n_train,
        n_test=plan.n_test,
        corners=len(plan.knobs) <= _MAX_KNOBS_WITH_CORNERS if plan.corners is None else plan.corners,
        fixed=fixed,
        seed=plan.seed,
        progress=tell,
        overwrite=overwrite,
    )
    if plan.n_active:
        from neurdsp.amp.knobs.active import extend

        def say(line: str) -> None:
            if not as_json:
                typer.echo(line)

        extend(path, plan.n_active, seed=plan.seed, log=say, progress=tell)
    typer.echo(json.dumps({"manifest": str(path)}) if as_json else f"manifest  {path}")


def _setting(text: str) -> tuple[str, float]:
    from neurdsp.errors import ParameterError

    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return name.strip(), float(value)
    except ValueError:
        raise ParameterError(f"--set is '{text}', but it must be CONTROL=NUMBER") from None


def _list(device: str | None, as_json: bool) -> None:
    """Print the installed devices, or the controls of one."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from neurdsp.amp.capture import lv2_info

    table = Table(box=None, padding=(0, 2, 0, 0))
    if device is None:
        devices = lv2_info.list_devices()
        if as_json:
            typer.echo(json.dumps([{"uri": uri, "name": name} for uri, name in devices]))
            return
        for title in ("name", "uri"):
            table.add_column(title, no_wrap=title == "name", overflow="fold")
        for uri, name in devices:
            table.add_row(name, uri)
    else:
        found = lv2_info.describe_device(lv2_info.find_device(device))
        if as_json:
            typer.echo(json.dumps(asdict(found)))
            return
        for title in ("control", "name", "from", "to", "default"):
            table.add_column(title, justify="left" if title in ("control", "name") else "right")
        for knob in found.controls:
            numbers = (f"{value:g}" for value in (knob.minimum, knob.maximum, knob.default))
            table.add_row(knob.symbol, knob.name + (" (switch)" if knob.toggled else ""), *numbers)
    Console(highlight=False, markup=False).print(table)


@guard.guarded
def check(
    input_path: Annotated[Path, typer.Argument(metavar="IN.wav", help="Input of the device."), guard.READS],
    output_path: Annotated[
        Path, typer.Argument(metavar="OUT.wav", help="Output of the device."), guard.READS
    ],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "-p", help="PNG with waveforms, latency and clock drift."),
        guard.FILE,
    ] = None,
    max_latency_ms: Annotated[
        float | None, typer.Option(help="Longest latency to accept. [default: 250]")
    ] = None,
    latency_samples: Annotated[
        int | None, typer.Option("--latency", metavar="SAMPLES", help="The latency, negative for a lead.")
    ] = None,
    preset: options.Preset = None,
    config_path: options.Config = None,
    overrides: options.Set = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Examine two recordings before training; the exit status is 1 if they cannot be used.

    They are judged for the preset that will train on them, with the settings that it will have.
    """
    from neurdsp.amp.config import load_config

    settings = list(overrides or ())
    if max_latency_ms is not None:
        settings.append(f"data.max_latency_ms={max_latency_ms}")
    if latency_samples is not None:
        settings.append(f"data.latency_samples={latency_samples}")
    config = load_config(preset, file=config_path, overrides=settings)
    examined = _examined(input_path, output_path, config)
    if plot is not None and examined.report.alignment is not None:
        from neurdsp.amp.capture.check_plot import plot_examination

        plot_examination(examined, plot)
    if as_json:
        typer.echo(json.dumps(examined.report.to_json()))
    else:
        _print_report(examined.report)
    if examined.report.errors:
        raise typer.Exit(1)


def _examined(input_path: Path, output_path: Path, config: "AmpConfig") -> "Examined":
    """Examine two recordings, and find too what training would refuse after the examination."""
    from dataclasses import replace

    from neurdsp.amp.capture.check import examine
    from neurdsp.amp.capture.report import Finding
    from neurdsp.amp.data import pair_of, split_in_time
    from neurdsp.errors import AudioFileError

    examined = examine(input_path, output_path, config.data)
    if examined.report.errors:
        return examined
    try:
        split_in_time(pair_of(examined, config), config)
    except AudioFileError as error:
        refused = Finding("error", "training", str(error))
        report = replace(examined.report, findings=(refused, *examined.report.findings))
        examined = replace(examined, report=report)
    return examined


def _print_report(report: "Report") -> None:
    """Print an examination on one screen."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def level(side: "Side") -> str:
        if side.peak_db is None or side.rms_db is None or side.dc is None:
            return "–"
        return f"peak {side.peak_db:.1f} dBFS, {side.rms_db:.1f} dB RMS, offset {side.dc:+.4f}"

    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "input", "output"):
        table.add_column(title, style="cyan" if not title else None, overflow="fold")
    sides = (report.input, report.output)
    table.add_row("file", *(Text(side.path) for side in sides))
    table.add_row(
        "format",
        *(
            f"{side.seconds:.2f} s, {side.sample_rate} Hz, {side.channels} ch, {side.format}"
            for side in sides
        ),
    )
    table.add_row("level", *(level(side) for side in sides))
    table.add_row("noise", *("–" if side.noise_db is None else f"{side.noise_db:.0f} dB" for side in sides))
    facts: list[tuple[str, str]] = []
    if report.known:
        facts.append(("recognised as", report.known))
    if report.alignment is not None:
        lag = report.alignment
        rate = report.input.sample_rate
        sure = f" ± {lag.uncertainty_samples}" if lag.uncertainty_samples else ""
        facts.append(
            (
                "latency",
                f"{lag.latency_samples}{sure} samples ({1e3 * lag.latency_samples / rate:.2f} ms), "
                f"by {lag.method}, confidence {lag.confidence:.2f}",
            )
        )
        facts.append(("polarity", "reversed" if lag.inverted else "kept"))
    if report.drift is not None:
        facts.append(
            ("clocks", f"{report.drift.ppm:+.2f} ppm, {report.drift.total_samples:+.2f} samples in all")
        )
    if report.replicate_esr is not None:
        facts.append(("replicate ESR", f"{report.replicate_esr:.2g}  (the same passage, recorded twice)"))
    if report.linear_esr is not None:
        facts.append(("best linear ESR", f"{report.linear_esr:.2g}  (0: a filter, nothing to learn)"))
    console = Console(highlight=False)
    console.print(table)
    if facts:
        lines = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        lines.add_column(style="cyan", no_wrap=True)
        lines.add_column(overflow="fold")
        for name, value in facts:
            lines.add_row(name, Text(value))
        console.print(lines)
    colours = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for finding in report.findings:
        console.print(Text.assemble((f"{finding.severity}: ", colours[finding.severity]), finding.message))
    verdict = "cannot be used" if report.errors else "can be trained on"
    console.print(Text(f"these recordings {verdict}", style="bold red" if report.errors else "bold green"))
