"""A real JupyterLab and a headless Chromium, for tests that work as a person does.

`python -m tests.browser` says in one line whether there is a browser; exit 1 if not.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
SHOTS = ROOT / "build" / "browser"
QUIET = [  # no requests but ours
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
]  # fmt: skip
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {
        "windowingMode": "none"
    },  # every cell is on the page
}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    address: str
    token: str

    def at(self, path: str) -> str:
        """The address of a path that lets us in."""
        return f"{self.address}/{path}?token={self.token}"


@contextmanager
def jupyterlab(
    folder: Path,
    place: Path,
    command: tuple[str, ...] = ("-m", "jupyterlab", "--allow-root"),
    **variables: str,
) -> Iterator[Lab]:
    """A JupyterLab on a folder; its processes end with the block.

    place: an empty folder for its configuration and log; command: what Python starts it by;
    variables: more of its environment.
    """
    (place / "labconfig").mkdir()
    (place / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = os.environ | dict.fromkeys(names, str(place)) | variables
    environment["PYTHONPATH"] = str(ROOT)
    environment.pop("MPLBACKEND", None)  # the kernel shows figures in the page
    with (place / "log").open("w") as log:
        options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
        server = subprocess.Popen(
            [sys.executable, *command, *options, f"--IdentityProvider.token={token}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        lab = Lab(f"http://127.0.0.1:{port}", token)
        wait_until(lambda: answers(lab.at("api/status")), 300, place / "log")
        yield lab
    finally:
        family = [*psutil.Process(server.pid).children(recursive=True), psutil.Process(server.pid)]
        for process in family:
            process.kill()
        server.wait()


def answers(address: str) -> bool:
    """Whether a server answers there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(address, timeout=60).status == 200
    except OSError:
        return False


def wait_until(reached, seconds: float, log: Path | None = None) -> None:
    """Wait until `reached()` is true."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, log.read_text()[-2000:] if log else "not reached in time"
        time.sleep(0.2)


@contextmanager
def chromium(address: str, offline: bool = False):
    """A page of a headless Chromium at an address; screenshots belong into SHOTS."""
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 1000}, offline=offline)
        page.goto(address)
        yield page
        browser.close()


def verdict(found: str | None, root: Path = ROOT) -> str:
    """The last line of a run of all tests: which browser was used, or what was not tested."""
    if found:
        return f"The tests in a browser used {found}."
    files = sorted(root.glob("tests/**/test_*.py"))
    marked = (file for file in files if "mark.browser" in file.read_text("utf-8"))
    names = [file.relative_to(root).as_posix() for file in marked]
    return (
        "NOT TESTED: JupyterLab, formgrader and pages in a browser "
        f"({', '.join(names)} skipped): no Chromium here. "
        "On Debian: apt-get install chromium; elsewhere install Chromium or Google Chrome."
    )


if __name__ == "__main__":
    print(verdict(CHROMIUM))
    sys.exit(CHROMIUM is None)
