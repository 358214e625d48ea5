"""The networks of a model file of `kick.hybrid` in NumPy: the reference that test vectors come from.

It follows `docs/decisions/0014-the-kick-code.md`; torch is not needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick.code import KickCode
from neurdsp.kick.counted import normal

__all__ = ["Forward"]

Floats = NDArray[np.float32]
_CAP = 1.0


def _silu(x: Floats) -> Floats:
    return np.asarray(x / (1 + np.exp(-x)), np.float32)


def _norm(x: Floats) -> Floats:
    centred = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5), np.float32)


class Forward:
    """The networks of one model file.

    Parameters
    ----------
    config
        Of the file.
    tensors
        Its weights by name, float32.

    Examples
    --------
    >>> forward = Forward(file.config, file.tensors)  # doctest: +SKIP
    >>> code = forward.code(key, words, guidance=2.0)  # doctest: +SKIP
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        self.config = config
        self.tensors = {name: np.asarray(value, np.float32) for name, value in tensors.items()}

    def _linear(self, name: str, x: Floats) -> Floats:
        return np.asarray(x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"])

    def condition(self, words: Sequence[float], sliders: Sequence[float | None] | None = None) -> Floats:
        """Return the condition of words (1, -1 or 0) and of sliders, in the units of their quantities."""
        count = len(self.config["attributes"])
        values, given = np.zeros(count, np.float32), np.zeros(count, np.float32)
        quantities = {each["name"]: each for each in self.config["quantities"]}
        for i, value in enumerate(sliders or []):
            if value is not None:
                of = quantities[self.config["attributes"][i]["quantity"]]
                values[i], given[i] = (value - of["mean"]) / of["sd"], 1
        return np.concatenate([np.asarray(words, np.float32), values, given, [1.0], [0.0]]).astype(np.float32)

    def latents(self, noise: Floats, condition: Floats, guidance: float) -> Floats:
        """Return latents ``(n, D)`` of noise ``(n, D)``."""
        width = self.config["width"]
        strength = 1 + 0.1 * (guidance - 2)
        angle = strength * 200 ** (np.arange(32) / 31)
        features = np.concatenate([np.sin(angle), np.cos(angle)]).astype(np.float32)
        when = self._linear("generator.time.1", _silu(self._linear("generator.time.0", features)))
        what = self._linear("generator.condition.1", _silu(self._linear("generator.condition.0", condition)))
        embedded = _silu(when + what)
        hidden = self._linear("generator.input", noise)
        for i in range(self.config["blocks"]):
            block = f"generator.blocks.{i}"
            modulation = self._linear(f"{block}.modulation", embedded)
            scale, shift, gate = modulation[:width], modulation[width : 2 * width], modulation[2 * width :]
            inner = _silu(self._linear(f"{block}.up", _norm(hidden) * (1 + scale) + shift))
            hidden = hidden + gate * self._linear(f"{block}.down", inner)
        return noise - self._linear("generator.output", hidden)

    def probe(self, latents: Floats) -> Floats:
        """Return what latents will measure, standardised, ``(n, quantities)``."""
        hidden = _silu(self._linear("probe.0", latents))
        return self._linear("probe.2", _silu(self._linear("probe.1", hidden)))

    def decode(self, latents: Floats) -> KickCode:
        """Return the codes of latents ``(n, D)``."""
        parts, start = [], 0
        for p, part in enumerate(self.config["decoder"]):
            name, stop = f"decoder.{p}", start + part["latent"]
            hidden = self._linear(f"{name}.input", latents[:, start:stop])
            start = stop
            for i in range(2):
                block = f"{name}.blocks.{i}"
                inner = _silu(self._linear(f"{block}.up", self._affine(f"{block}.norm", hidden)))
                hidden = hidden + self._linear(f"{block}.down", inner)
            parts.append(self._linear(f"{name}.output", self._affine(f"{name}.norm", hidden)))
        code = KickCode.from_packed(np.concatenate(parts, axis=1))
        from_s = self.config.get("settle_s")
        return code if from_s is None else code.settled(float(np.float32(from_s)))

    def _affine(self, name: str, x: Floats) -> Floats:
        return np.asarray(_norm(x) * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"])

    def scores(
        self, measured: Floats, words: Sequence[float], sliders: Sequence[float | None] | None = None
    ) -> Floats:
        """Return how well candidates fit, from what the probe says of them."""
        index = {each["name"]: i for i, each in enumerate(self.config["quantities"])}
        least = np.full(len(measured), _CAP, np.float32)
        for asked, word in zip(words, self.config["keywords"], strict=True):
            if asked:
                side = asked * (1 if word["side"] == "above" else -1)
                margin = side * (measured[:, index[word["quantity"]]] - word["threshold"])
                least = np.minimum(least, np.minimum(margin, _CAP))
        for value, slider in zip(sliders or [], self.config["attributes"], strict=False):
            if value is not None:
                k = index[slider["quantity"]]
                of = self.config["quantities"][k]
                least = np.minimum(least, _CAP - np.abs(measured[:, k] - (value - of["mean"]) / of["sd"]))
        return np.asarray(least, np.float32)

    def code(
        self,
        key: int,
        words: Sequence[float],
        *,
        guidance: float = 2.0,
        sliders: Sequence[float | None] | None = None,
    ) -> KickCode:
        """Return the code of the kick of a key: the best of the candidates."""
        noise = normal(key, self.config["candidates"], self.config["latent"])
        latents = self.latents(noise, self.condition(words, sliders), guidance)
        best = int(np.argmax(self.scores(self.probe(latents), words, sliders)))
        return self.decode(latents[best : best + 1]).take(0)
