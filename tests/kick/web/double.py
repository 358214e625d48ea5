"""A generator with the interface of the real one and no network: its kicks come from the synthesiser."""

from dataclasses import replace

from neurdsp.kick.counted import kick_key
from neurdsp.kick.kick import Kick, shift
from neurdsp.kick.synth import synthesise

KEYWORDS = {
    "deep": "the pitch settles below 50 Hz",
    "punchy": "a strong attack over a short body",
    "clicky": "bright energy in the first 5 ms",
    "long": "20 dB down after more than 0.5 s",
    "short": "20 dB down within 0.12 s",
    "distorted": "strong harmonics of the pitch",
}
ATTRIBUTES = {"pitch": "where the pitch settles", "click": "energy in the first 5 ms"}


class Double:
    keywords = KEYWORDS
    attributes = ATTRIBUTES

    @classmethod
    def load(cls, path):
        return cls()

    def generate_kicks(self, keywords=(), *, negative=(), n=1, seed=0, guidance=2.0, attributes=None):
        given = tuple(sorted((attributes or {}).items()))
        made = []
        for k in range(n):
            key = kick_key(seed, k)
            code = synthesise(1, seed=key % 2**31)[0].take(0)
            made.append(Kick(code, key, tuple(keywords), None, tuple(negative), guidance, given))
        return made

    def vary(self, kick, amount=0.3, n=1, seed=0):
        return [replace(shift(kick, amount, seed, k), keywords=kick.keywords) for k in range(n)]
