"""The training of the vocoder against its discriminators.

A crop of audio and a crop of the spectrogram belong together to the sample: the spectrogram in a shard is
that of the audio in it, and the samples of a frame lie around its centre.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurdsp.kick.data.shards import Prepared
from neurdsp.kick.mel.config import MelConfig
from neurdsp.kick.mel.networks.discriminators import Discriminators, Judgement
from neurdsp.kick.mel.networks.vocoder import HifiGan
from neurdsp.kick.mel.recipe import VocoderStage
from neurdsp.kick.mel.tasks.batches import Batches
from neurdsp.kick.mel.tasks.sounds import Listener
from neurdsp.nn import MelSpectrogram
from neurdsp.training import Phase, StepContext, TrainingConfig, autocast, exponential_decay

__all__ = ["VocoderGan", "VocoderTask", "crop", "vocoded"]

_SOUNDS = 2


class VocoderGan(nn.Module):
    """The generator and its discriminators, in one module for the trainer.

    Parameters
    ----------
    generator, discriminators
        The networks.
    """

    def __init__(self, generator: HifiGan, discriminators: Discriminators) -> None:
        super().__init__()
        self.generator = generator
        self.discriminators = discriminators


def crop(
    audio: NDArray[np.float32], log_mel: NDArray[np.float32], first_frame: int, n_frames: int, mel: MelConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return frames of a spectrogram, and the samples that a vocoder is to make of them.

    Parameters
    ----------
    audio
        ``(n_samples,)``.
    log_mel
        ``(n_mels, n_frames)``.
    first_frame, n_frames
        Which frames.
    mel
        The spectrogram.

    Returns
    -------
    frames : ndarray
        ``(n_mels, n_frames)``.
    samples : ndarray
        ``(n_frames * hop_length,)``, those from half a hop before the first frame's centre on; zeros outside
        the kick.
    """
    begin = first_frame * mel.hop_length - mel.lead_samples
    end = begin + n_frames * mel.hop_length
    inside = audio[max(begin, 0) : end]
    samples = np.pad(inside, (max(-begin, 0), end - max(begin, 0) - len(inside)))
    return log_mel[:, first_frame : first_frame + n_frames], samples


@torch.no_grad()
def vocoded(generator: HifiGan, log_mel: Tensor, mel: MelConfig) -> Tensor:
    """Return kicks ``(batch, n_samples)`` of log-mel spectrograms ``(batch, n_mels, n_frames)``."""
    audio: Tensor = generator(log_mel)
    return audio[:, mel.lead_samples : mel.lead_samples + mel.n_samples]


class VocoderTask:
    """A least-squares GAN with feature matching and a distance of spectrograms.

    Parameters
    ----------
    data
        Prepared kicks.
    stage, training
        Losses; batches and precision.
    device
        Where the networks are.
    listener
        Gets kicks made of true spectrograms.
    """

    def __init__(
        self,
        data: Prepared,
        stage: VocoderStage,
        training: TrainingConfig,
        *,
        device: torch.device,
        listener: Listener,
    ) -> None:
        self._data, self._stage, self._training = data, stage, training
        self._device, self._listener = device, listener
        self._train = data.of("train")
        self._held_out = data.of("validation")[: stage.validation_kicks]
        self._batches = Batches(len(self._train), training.batch_size, seed=training.seed)
        # Of the same power as the data: otherwise the loss and the input would pull apart.
        self._features = MelSpectrogram(**data.mel.parameters)
        self.samples_per_step = training.batch_size * stage.segment_samples

    def phases(self, model: nn.Module) -> Sequence[Phase]:
        """Return the discriminators' phase, then the generator's."""
        assert isinstance(model, VocoderGan)
        every = max(len(self._train) // (self._training.batch_size * self._training.accumulate_batches), 1)
        schedule = exponential_decay(self._stage.decay_per_epoch, every_steps=every)
        return [
            Phase("critic", self._critic_loss, model.discriminators.parameters(), schedule=schedule),
            Phase("vocoder", self._vocoder_loss, model.generator.parameters(), schedule=schedule),
        ]

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Return crops of spectrograms ``(batch, n_mels, n_frames)`` and of audio ``(batch, n_samples)``."""
        random, n_frames = (
            self._batches.random(number),
            self._stage.segment_samples // self._data.mel.hop_length,
        )
        frames, samples = [], []
        for row in self._batches[number]:
            item = self._train[row]
            log_mel = self._data.log_mel(item)
            last = max(_last_sounding(log_mel, self._data.mel), 0)
            first = int(random.integers(0, min(last, log_mel.shape[1] - n_frames) + 1))
            one, two = crop(self._data.audio(item), log_mel, first, n_frames, self._data.mel)
            frames.append(one)
            samples.append(two)
        return (
            torch.from_numpy(np.stack(frames)).to(self._device),
            torch.from_numpy(np.stack(samples)).to(self._device),
        )

    def _critic_loss(self, model: nn.Module, context: StepContext) -> Tensor:
        assert isinstance(model, VocoderGan)
        self._listener.step = context.step
        frames, audio = self.batch(context.batch)
        with autocast(self._training.precision, self._device):
            with torch.no_grad():
                made = model.generator(frames)
            true, false = model.discriminators(audio), model.discriminators(made)
        losses = [
            (1 - one.float()).square().mean() + two.float().square().mean()
            for (one, _), (two, _) in zip(true, false, strict=True)
        ]
        return torch.stack(losses).sum()

    def _vocoder_loss(self, model: nn.Module, context: StepContext) -> dict[str, Tensor]:
        assert isinstance(model, VocoderGan)
        frames, audio = self.batch(context.batch)
        with autocast(self._training.precision, self._device):
            made = model.generator(frames)
            with torch.no_grad():
                true = model.discriminators(audio)
            false = model.discriminators(made)
        distance = (self._features(made.float()) - self._features(audio)).abs().mean()
        return {
            "adversarial": torch.stack([(1 - one.float()).square().mean() for one, _ in false]).sum(),
            "features": self._stage.feature_weight * _feature_distance(true, false),
            "mel": self._stage.mel_weight * distance,
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure kicks made of held-out spectrograms: the mean distance of log-mel spectrograms, in nats."""
        assert isinstance(model, VocoderGan)
        distances, peaks = [], []
        for item in self._held_out:
            log_mel = torch.from_numpy(self._data.log_mel(item))[None].to(self._device)
            audio = vocoded(model.generator, log_mel, self._data.mel)
            distances.append(float((self._features(audio) - log_mel).abs().mean()))
            peaks.append(float(audio.abs().max()))
        distance = float(np.mean(distances))
        return {"score": distance, "mel_nats": distance, "peak": float(np.mean(peaks))}

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Let kicks made of held-out spectrograms be heard."""
        del metrics
        assert isinstance(model, VocoderGan)
        if not self._listener.wanted:
            return
        for number, item in enumerate(self._held_out[:_SOUNDS]):
            log_mel = torch.from_numpy(self._data.log_mel(item))[None].to(self._device)
            audio = vocoded(model.generator, log_mel, self._data.mel)[0].cpu().numpy()
            self._listener.audio(f"vocoded/{number}", audio)


def _last_sounding(log_mel: NDArray[np.float32], mel: MelConfig) -> int:
    """Return the last frame that is not silent: crops begin there at the latest."""
    sounding = np.flatnonzero(log_mel.max(axis=0) > np.log(mel.floor) + 1.0)
    return int(sounding[-1]) if len(sounding) else 0


def _feature_distance(true: Sequence[Judgement], false: Sequence[Judgement]) -> Tensor:
    """Return the sum over all layers of the mean distance of features."""
    distances = [
        (one.float() - two.float()).abs().mean()
        for (_, ones), (_, twos) in zip(true, false, strict=True)
        for one, two in zip(ones, twos, strict=True)
    ]
    return torch.stack(distances).sum()
