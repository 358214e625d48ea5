"""Rendering audio files through an amp model, in bounded memory."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from neurdsp._output import check_output
from neurdsp.amp.infer import MAX_CHANNELS, AmpModel
from neurdsp.amp.lookup import find_model
from neurdsp.amp.play.blocks import BLOCK_SAMPLES
from neurdsp.amp.play.chain import AmpChain, ChainSettings
from neurdsp.amp.play.effects import ResponseChannel
from neurdsp.amp.play.levels import check_levels
from neurdsp.audio import AudioReader, AudioWriter, FloatArray
from neurdsp.console import Progress
from neurdsp.dsp.executors import LocalPool, Lost, n_cores
from neurdsp.errors import AudioFileError, ModelFileError, ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = ["RenderResult", "RenderedFile", "render_file", "render_files"]

_LONGEST_TAIL_S = 600.0


@dataclass(frozen=True, slots=True)
class RenderResult:
    """Length of the output in samples, its sample rate in Hz and its peak in dBFS."""

    n_samples: int
    sample_rate: int
    peak_db: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One of several files: its result, or one line that says why there is none."""

    input_path: Path
    output_path: Path
    result: RenderResult | None = None
    error: str | None = None


def render_file(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    model: AmpModel | str | os.PathLike[str],
    subtype: str = "FLOAT",
    ir: str | os.PathLike[str] | None = None,
    ir_channel: ResponseChannel = "each",
    oversample: int = 1,
    tail_s: float = 0.0,
    **settings: Unpack[ChainSettings],
) -> RenderResult:
    """Play an audio file through an amp, and write the output at the same sample rate, channels and length.

    Without an impulse response, oversampling and settings the model plays alone. With any of them
    `neurdsp.amp.AmpChain` plays, with its DC block off unless it is asked for.

    Parameters
    ----------
    input_path : path-like
        Of any length; each of its channels goes through the amp on its own.
    output_path : path-like
        Written when it is complete; the suffix selects the format. It must not be an input.
    model : AmpModel, str or path-like
        A loaded model, a model file, or the name of a shipped amp.
    subtype : str
        Sample format, see `neurdsp.audio.AudioWriter`.
    ir : path-like, optional
        Impulse response of a cabinet.
    ir_channel : {"each", "left", "right", "mean"} or int
        Which channel of the impulse response plays; "each" is the left for a mono recording.
    oversample : {1, 2, 4}
        Run the model at a multiple of its rate to reduce aliasing.
    tail_s : float
        Seconds of silence to play after the end, so that sound that decays is kept; 0 to 600.
    **settings
        Any of `neurdsp.amp.ChainSettings`; ``dc_block_on`` is False by default here.

    Returns
    -------
    RenderResult
        Length, rate and peak of the output.

    Raises
    ------
    AudioFileError
        If the input is missing, damaged, empty or not finite, or the output cannot be written.
    FileExistsError
        If the output is the input, the model or the impulse response.
    ModelFileError
        If the model cannot be loaded, or its output is not finite; nothing is written then.
    ParameterError
        If a setting is out of range, or needs a level that the model's file does not give; see
        `neurdsp.amp.play.levels.check_levels`.

    Examples
    --------
    >>> render_file("dry.wav", "wet.wav", model="amp.safetensors")  # doctest: +SKIP
    """
    with Progress("rendering", 1.0) as progress:
        job = _Job(model, subtype, ir, ir_channel, oversample, _check_tail(tail_s), settings)
        return _render(input_path, output_path, job, progress=progress.advance)


def render_files(
    input_paths: Iterable[str | os.PathLike[str]],
    output_folder: str | os.PathLike[str],
    *,
    model: AmpModel | str | os.PathLike[str],
    suffix: str = ".wav",
    workers: int | None = None,
    subtype: str = "FLOAT",
    ir: str | os.PathLike[str] | None = None,
    ir_channel: ResponseChannel = "each",
    oversample: int = 1,
    tail_s: float = 0.0,
    overwrite: bool = True,
    **settings: Unpack[ChainSettings],
) -> Iterator[RenderedFile]:
    """Play several audio files through one amp in parallel; see `render_file`.

    The weights are loaded once. Threads suffice because playing releases the interpreter lock, so throughput
    grows with the number of cores.

    Parameters
    ----------
    input_paths : iterable of path-like
        Of any length; their names must differ.
    output_folder : path-like
        Folder for the outputs, which are named like the inputs; made if it is missing.
    suffix : str
        Of the outputs; it selects the format.
    workers : int, optional
        Files at a time; the number of cores by default.
    overwrite : bool
        Whether outputs that exist are replaced; otherwise they are kept, and reported as not rendered.
    model, subtype, ir, ir_channel, oversample, tail_s, **settings
        As in `render_file`.

    Yields
    ------
    RenderedFile
        As soon as a file is done. A file that cannot be rendered does not stop the others.

    Raises
    ------
    ParameterError
        If two outputs would have the same name, an output would overwrite an input, or a setting is out of
        range.
    ModelFileError
        If the model cannot be loaded.

    Examples
    --------
    >>> for file in render_files(["a.wav", "b.wav"], "wet", model="ts9"):  # doctest: +SKIP
    ...     print(file.output_path, file.error or "")
    """
    folder = Path(output_folder)
    sources: dict[Path, Path] = {}
    for source in map(Path, input_paths):
        target = folder / f"{source.stem}{suffix}"
        if target in sources:
            raise ParameterError(
                f"'{sources[target]}' and '{source}' would both become '{target}': rename one"
            )
        sources[target] = source
    _refuse_inputs(sources, [*([] if ir is None else [ir]), *_model_files(model)])
    if workers is not None and workers < 1:
        raise ParameterError(f"workers is {workers}, but it must be at least 1")
    tail_s = _check_tail(tail_s)
    folder.mkdir(parents=True, exist_ok=True)
    amp = model if isinstance(model, AmpModel) else AmpModel.load(model)
    check_levels(amp, settings)

    job = _Job(amp, subtype, ir, ir_channel, oversample, tail_s, settings)

    def render(target: Path) -> RenderedFile:
        source = sources[target]
        try:
            if not overwrite and target.exists():
                raise AudioFileError(f"'{target}' exists already and was kept; --overwrite replaces it")
            result = _render(source, target, job)
        except (AudioFileError, ModelFileError) as error:
            return RenderedFile(source, target, error=str(error))
        return RenderedFile(source, target, result=result)

    pool = LocalPool(workers or n_cores())
    with Progress("rendering", len(sources)) as progress:
        for target, file in pool.map(render, sources):
            progress.advance(1)
            if isinstance(file, Lost):
                file = RenderedFile(sources[target], target, error=file.reason)
            yield file


@dataclass(frozen=True, slots=True)
class _Job:
    """How to render, whatever the file."""

    model: AmpModel | str | os.PathLike[str]
    subtype: str
    ir: str | os.PathLike[str] | None
    ir_channel: ResponseChannel
    oversample: int
    tail_s: float
    settings: ChainSettings


def _check_tail(tail_s: float) -> float:
    if not isinstance(tail_s, int | float) or not 0 <= tail_s <= _LONGEST_TAIL_S:
        raise ParameterError(f"tail_s is {tail_s!r}, but it must be 0 to {_LONGEST_TAIL_S:g} seconds")
    return float(tail_s)


def _model_files(model: AmpModel | str | os.PathLike[str]) -> list[Path]:
    if not isinstance(model, AmpModel):
        return [find_model(model)]
    return [] if model.path is None else [model.path]


def _refuse_inputs(sources: Mapping[Path, Path], others: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse outputs that would overwrite an input: their own, or that of another output."""
    inputs = {}
    for path in [*sources.values(), *map(Path, others)]:
        with contextlib.suppress(OSError):
            status = path.stat()
            inputs[status.st_dev, status.st_ino] = path
    for target in sources:
        with contextlib.suppress(OSError):
            status = target.stat()
            source = inputs.get((status.st_dev, status.st_ino))
            if source is not None:
                raise ParameterError(f"'{source}' would be overwritten: give another output folder")


def _render(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    job: _Job,
    *,
    progress: Callable[[float], None] | None = None,
) -> RenderResult:
    """Play one file; ``progress`` is called with the share that was just played."""
    with AudioReader(input_path) as reader:
        info, model = reader.info, job.model
        if info.channels > MAX_CHANNELS:
            raise AudioFileError(
                f"'{input_path}' has {info.channels} channels, but at most {MAX_CHANNELS} can be played; "
                "split it"
            )
        check_output(
            output_path, inputs=[input_path, *([] if job.ir is None else [job.ir]), *_model_files(model)]
        )
        amp = model if isinstance(model, AmpModel) else AmpModel.load(model)
        check_levels(amp, job.settings)
        chain = None
        if job.ir is not None or job.oversample != 1 or job.settings:
            settings: ChainSettings = {"dc_block_on": False, **job.settings}
            chain = AmpChain(
                amp,
                sample_rate=info.sample_rate,
                n_channels=info.channels,
                ir=job.ir,
                ir_channel=job.ir_channel,
                oversample=job.oversample,
                **settings,
            )
        tail, n_samples, peak = round(job.tail_s * info.sample_rate), 0, 0.0
        try:
            with AudioWriter(
                output_path, info.sample_rate, channels=info.channels, subtype=job.subtype
            ) as writer:
                dry = _blocks(reader, tail)
                wet = chain.render_blocks(dry) if chain else amp.render_blocks(dry, info.sample_rate)
                for block in wet:
                    writer.write(block)
                    n_samples += block.shape[-1]
                    peak = max(peak, float(np.abs(block).max(initial=0.0)))
                    if progress is not None:
                        progress(block.shape[-1] / max(1, info.n_samples + tail))
                if n_samples == 0:
                    raise AudioFileError(f"'{input_path}' is empty: it holds no samples")
        except ParameterError as error:
            raise AudioFileError(f"cannot render '{input_path}': {error}") from error
    return RenderResult(n_samples=n_samples, sample_rate=info.sample_rate, peak_db=amplitude_to_db(peak))


def _blocks(reader: AudioReader, tail_samples: int) -> Iterator[FloatArray]:
    """Yield a file and the silence after it; nothing for an empty file."""
    some = False
    for block in reader.blocks():
        some = True
        yield block[0] if reader.info.channels == 1 else block
    shape = () if reader.info.channels == 1 else (reader.info.channels,)
    while some and tail_samples > 0:
        n_samples = min(tail_samples, BLOCK_SAMPLES)
        yield np.zeros((*shape, n_samples), np.float32)
        tail_samples -= n_samples
