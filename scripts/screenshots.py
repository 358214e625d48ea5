"""Turns the pictures of the tests of the plugin's editor into those of docs/images (`make screenshots`)."""

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
TAKEN = ROOT / "target/screenshots"
NAMES = ("model", "tuner", "knobs", "presets")


def main():
    """Write the pictures; end with a message if one has not been taken."""
    for name in NAMES:
        path = TAKEN / f"{name}.ppm"
        if not path.exists():
            sys.exit(f"{path} is missing; is Xvfb installed? `make screenshots` takes the pictures")
        image = Image.open(path)
        image.save(ROOT / f"docs/images/plugin-{name}.png", optimize=True)
        print(f"plugin-{name}.png: {image.width} x {image.height}")


if __name__ == "__main__":
    main()
