"""Turns the screenshots that the tests of the plugins take into docs/images (`make screenshots`)."""

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
TAKEN = ROOT / "target/screenshots"
# The picture of the documentation, and the screenshot that it is.
NAMES = {
    "plugin-model": "factory",
    "plugin-tuner": "tuner",
    "plugin-knobs": "knobs",
    "plugin-presets": "presets",
    "plugin-drums": "drums",
    "plugin-companion": "companion",
    "plugin-kick": "kick",
}


def main():
    """Write the images; end with a message if a screenshot is missing."""
    for name, taken in NAMES.items():
        path = TAKEN / f"{taken}.ppm"
        if not path.exists():
            sys.exit(f"{path} is missing; is Xvfb installed? `make screenshots` takes the screenshots")
        image = Image.open(path)
        image.save(ROOT / f"docs/images/{name}.png", optimize=True)
        print(f"{name}.png: {image.width} x {image.height}")


if __name__ == "__main__":
    main()
