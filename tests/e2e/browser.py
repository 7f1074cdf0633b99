"""A real Chromium for tests, and pictures of what it shows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# How patient a test is says nothing about the page: other tests may keep the machine busy meanwhile.
expect.set_options(timeout=20_000)
_SHOTS = os.environ.get("CITYVISION_SCREENSHOTS")


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A fresh browser, with `more` arguments; a machine without one fails the test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *more])
        yield browser
        browser.close()


def shot(page: Page, name: str) -> None:
    """A picture for people, where CITYVISION_SCREENSHOTS names a folder for them."""
    if _SHOTS:
        page.screenshot(path=Path(_SHOTS) / f"{name}.png", full_page=True)
