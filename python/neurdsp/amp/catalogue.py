"""The list of the amps that come with neurdsp, as their files describe them."""

import json
from dataclasses import dataclass

from neurdsp.amp.infer import AmpModel
from neurdsp.amp.lookup import shipped_amps

__all__ = ["ShippedAmp", "describe_amps"]


@dataclass(frozen=True)
class ShippedAmp:
    """An amp that comes with neurdsp.

    Parameters
    ----------
    name
        For `AmpModel.load`.
    description
        One line.
    knobs
        Default position of each knob, 0 to 1; most amps have no knobs.
    n_parameters
        Of the network that plays.
    test_esr
        Error-to-signal ratio on playing that was not trained on, with the knobs at their defaults.
    license
        Licence of the weights.
    """

    name: str
    description: str
    knobs: dict[str, float]
    n_parameters: int
    test_esr: float | None
    license: str


def describe_amps() -> list[ShippedAmp]:
    """Describe the shipped amps, by name.

    Examples
    --------
    >>> [amp.name for amp in describe_amps() if amp.name == "ts9"]
    ['ts9']
    """
    found = []
    for name in shipped_amps():
        amp = AmpModel.load(name)
        metadata = amp.metadata
        found.append(
            ShippedAmp(
                name=name,
                description=metadata.get("neurdsp.description", ""),
                knobs=amp.knobs,
                n_parameters=amp.n_parameters,
                test_esr=json.loads(metadata.get("neurdsp.metrics", "{}")).get("test_esr"),
                license=metadata.get("neurdsp.license", ""),
            )
        )
    return found
