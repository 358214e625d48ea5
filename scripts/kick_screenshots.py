"""Takes the pictures of the kick page for its guide, with Chromium (`python scripts/kick_screenshots.py`)."""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/kick/web"))

from browser import Service, chromium  # noqa: E402

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
WAIT_S = 120


def until(browser, script):
    """Wait for a condition in JavaScript.

    Raises
    ------
    SystemExit
        If it does not come true.
    """
    end = time.monotonic() + WAIT_S
    while not browser.execute_script(f"return {script}"):
        if time.monotonic() > end:
            sys.exit(f"the page never came to: {script}")
        time.sleep(0.1)


def main(folder):
    """Write kick-web.png and kick-web-phone.png; end with a message if Chromium is missing."""
    with tempfile.TemporaryDirectory() as data, Service(Path(data), model="default") as service:
        browser = chromium(1400, 1200)
        if browser is None:
            sys.exit("Chromium is missing: apt-get install chromium chromium-driver")
        try:
            browser.get(service.url)
            until(browser, "document.body.dataset.ready === 'yes'")
            chips = {chip.text: chip for chip in browser.find_elements("css selector", ".chip")}
            for word, clicks in (("deep", 1), ("punchy", 1), ("noisy", 2)):
                for _ in range(clicks):
                    chips[word].click()
            browser.find_element("id", "seed").send_keys("7")
            browser.find_element("id", "generate").click()
            until(browser, "document.querySelectorAll('.tile').length === 8")
            browser.find_element("id", "vary").click()
            until(browser, "document.querySelectorAll('.tile').length === 16")
            browser.find_elements("css selector", ".tile button")[2].click()
            until(browser, "document.querySelectorAll('.tile [aria-pressed=true]').length === 1")
            until(browser, "document.body.dataset.playing === ''")
            browser.execute_script("window.scrollTo(0, 0)")
            browser.save_screenshot(str(folder / "kick-web.png"))
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
            time.sleep(1)
            browser.save_screenshot(str(folder / "kick-web-phone.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images")
