"""A real Chromium, driven from a thread beside the reactor."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE = 30  # seconds, until what a test waits for has failed

PHONE, DESKTOP = 390, 1280  # CSS pixels
LIGHT, DARK = "light", "dark"


class Browser:
    """What a person does in a browser, as far as the tests do it. All of it blocks."""

    def __init__(self, driver: Chrome, base: str) -> None:
        self.driver = driver
        self.base = base

    def look(self, width: int = DESKTOP, scheme: str = LIGHT, *, script: bool = True) -> None:
        """Look on from now on with a screen of that width, and with or without the scripts of pages."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)

    def text(self, selector: str = "body") -> str:
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def texts(self, selector: str) -> list[str]:
        return [each.text for each in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def click(self, selector: str) -> None:
        """Click on what leads to another page."""
        self._leave_by(self.driver.find_element(By.CSS_SELECTOR, selector))

    def unfold(self, selector: str) -> None:
        """Click on what opens something on this very page."""
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def follow(self, text: str) -> None:
        """Follow the link of that text."""
        self._leave_by(self.driver.find_element(By.LINK_TEXT, text))

    def _leave_by(self, element: WebElement) -> None:
        page = self.driver.find_element(By.TAG_NAME, "html")
        element.click()
        # In the middle of the way from page to page Chromium may have no word for it but an error.
        WebDriverWait(self.driver, PATIENCE, 0.1, [WebDriverException]).until(staleness_of(page))

    def type(self, selector: str, text: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def ask(self, script: str) -> Any:
        """What a script of ours finds out; it returns by `return`."""
        return self.driver.execute_script(script)

    def wait_until(self, condition: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, PATIENCE, 0.1).until(lambda _: condition())

    def complaints(self) -> list[str]:
        """What the browser had to say of pages: errors, refused scripts and styles."""
        log: Any = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log]


@contextmanager
def chromium(base: str, profile: str) -> Iterator[Browser]:
    """A fresh browser with an empty profile in that folder; ended in the end."""
    options = ChromeOptions()
    options.binary_location = _program("chromium")
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=ChromeService(_program("chromedriver")))
    try:
        yield Browser(driver, base)
    finally:
        driver.quit()


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install chromium chromium-driver"
    return found
