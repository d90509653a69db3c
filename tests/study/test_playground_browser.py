"""The playground's page, driven in headless Chromium."""

from __future__ import annotations

import shutil
import time

import pytest

from minigrad.study.playground.server import Playground

webdriver = pytest.importorskip("selenium.webdriver", reason="pages are tested with the extra browser")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's chromium and chromium-driver"
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1300,1000"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser):
    playground = Playground(port=0)
    browser.get(playground.url)
    _until(lambda: browser.find_element(By.ID, "loss").text != "–")
    yield browser
    # Reading pixels, as a test does, makes Chromium give advice.
    assert not [entry for entry in browser.get_log("browser") if "getImageData" not in entry["message"]]
    playground.close()


def _until(true, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the page did not get there"
        time.sleep(0.05)


def _text(browser, name: str) -> str:
    return browser.find_element(By.ID, name).text


def _steps(browser) -> int:
    return int(_text(browser, "steps").replace(",", ""))


def _press(browser, keys: str) -> None:
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(keys)


def test_playing_lowers_the_loss_and_pausing_stops_it(opened) -> None:
    before = float(_text(opened, "loss"))
    opened.find_element(By.ID, "play").click()
    _until(lambda: _steps(opened) > 150)
    opened.find_element(By.ID, "play").click()
    _until(lambda: opened.find_element(By.ID, "play").get_attribute("aria-label") == "Play")
    assert float(_text(opened, "loss")) < 0.7 * before
    stopped = _steps(opened)
    time.sleep(0.5)
    assert _steps(opened) == stopped


def test_the_keyboard_steps_plays_and_resets(opened) -> None:
    for count in range(1, 4):
        _press(opened, "s")
        _until(lambda count=count: _steps(opened) == count)
    _press(opened, Keys.SPACE)
    _until(lambda: _steps(opened) > 20)
    _press(opened, "r")
    _until(lambda: _steps(opened) == 0)


def test_loss_optimiser_and_data_can_be_changed(opened) -> None:
    Select(opened.find_element(By.ID, "data")).select_by_value("spirals3")
    _until(lambda: "spirals3" in _text(opened, "code"))
    offered = [option.text for option in Select(opened.find_element(By.ID, "lossname")).options]
    assert "CrossEntropyLoss" in offered
    assert "BCELoss" not in offered
    Select(opened.find_element(By.ID, "lossname")).select_by_value("PolyLoss")
    Select(opened.find_element(By.ID, "optimizer")).select_by_value("SGD with momentum")
    _until(lambda: "PolyLoss(epsilon=1)" in _text(opened, "code") and "momentum=0.9" in _text(opened, "code"))
    assert opened.find_element(By.ID, "option-label").is_displayed()
    Select(opened.find_element(By.ID, "lossname")).select_by_value("SparsemaxLoss")
    _until(lambda: "SparsemaxLoss()" in _text(opened, "code"))
    assert not opened.find_element(By.ID, "option-label").is_displayed()


def test_the_map_shows_the_model(opened) -> None:
    """The colours of the map change with the training, and differ between its sides."""

    def pixels() -> list:
        return opened.execute_script(
            "const c = document.getElementById('map'); const d = c.getContext('2d');"
            "const at = (x, y) => [...d.getImageData(x * c.width, y * c.height, 1, 1).data];"
            "return [at(0.5, 0.05), at(0.5, 0.95)];"
        )

    opened.find_element(By.ID, "arrows").click()
    before = pixels()
    opened.find_element(By.ID, "play").click()
    _until(lambda: _steps(opened) > 200)
    opened.find_element(By.ID, "play").click()
    after = pixels()
    assert after != before
    (top, bottom) = after
    assert top[2] > top[0]  # blue: the upper moon
    assert bottom[0] > bottom[2]  # orange


def test_a_divergence_is_said(opened) -> None:
    Select(opened.find_element(By.ID, "data")).select_by_value("hill")
    Select(opened.find_element(By.ID, "activation")).select_by_value("relu")
    Select(opened.find_element(By.ID, "optimizer")).select_by_value("SGD")
    Select(opened.find_element(By.ID, "lr")).select_by_value("10")
    _until(lambda: "lr=10)" in _text(opened, "code"))
    opened.find_element(By.ID, "play").click()
    _until(lambda: "diverged" in _text(opened, "message"))


def test_dark_and_on_a_phone(opened) -> None:
    def paper() -> str:
        return opened.execute_script("return getComputedStyle(document.body).backgroundColor")

    before = paper()
    opened.find_element(By.ID, "theme").click()
    assert paper() != before
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        time.sleep(0.3)
        assert opened.execute_script("return document.documentElement.scrollWidth") <= 390
        assert opened.find_element(By.ID, "play").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_everything_that_can_be_set_has_a_label(opened) -> None:
    unlabelled = opened.execute_script(
        "const named = (it) => it.labels?.length || it.getAttribute('aria-label') || it.textContent.trim();"
        "return [...document.querySelectorAll('input, select, button, canvas')].filter((it) => !named(it))"
        ".map((it) => it.id)"
    )
    assert not unlabelled
