"""The page in a browser: stepping, numbers, sorting, folding, dark mode, phones, paper."""

import base64
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.study import explain
from minigrad.study.report import report
from minigrad.study.report.words import words_for

pytest.importorskip("selenium", reason="the page is driven with selenium")
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,900"
)
WORDS = words_for("en")
SCRIPT = Path(__file__).with_name("report_page.js").read_text("utf-8")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = Options()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """The browser as it was opened; whatever a test did, the console must have stayed empty."""
    yield chromium
    errors = chromium.get_log("browser")
    for command in ("Emulation.clearDeviceMetricsOverride", "Emulation.setEmulatedMedia"):
        chromium.execute_cdp_cmd(command, {})
    chromium.get("about:blank")
    assert errors == []


def classifier():
    """The loss of a small network, read off the tape; one sample is ignored."""
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    x = minigrad.randn(4, 2)
    target = minigrad.tensor([0, 2, 1, -100])
    loss = F.cross_entropy(model(x), target, weight=minigrad.tensor([1.0, 2.0, 4.0]))
    return explain(loss, torch=False)


def expression():
    """An expression of single numbers in which a is used three times."""
    a, b = minigrad.tensor(0.5), minigrad.tensor(-3.0)
    return explain(lambda a, b: (a * b + a).tanh() * a, a, b, torch=False)


def large():
    x, weight, target = minigrad.randn(64, 300), minigrad.randn(40, 300), minigrad.randn(64, 40)
    return explain(lambda x, weight: F.mse_loss(F.linear(x, weight), target), x, weight, torch=False)


def bce():
    x, target = minigrad.tensor([0.3, -2.0, 1.5]), minigrad.tensor([1.0, 0.0, 1.0])
    return explain(F.binary_cross_entropy_with_logits, x, target, torch=False)


def slices():
    return explain(lambda x: x.exp().sum(), minigrad.randn(2, 3, 4), torch=False)


CASES = {"classifier": classifier, "expression": expression, "bce": bce, "large": large, "slices": slices}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """For each case its explanation and the address of its page."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, case in CASES.items():
        minigrad.manual_seed(0)
        explanation = case()
        made[name] = explanation, report(explanation, folder / f"{name}.html").as_uri()
    return made


def press(browser, *keys):
    browser.find_element(By.TAG_NAME, "body").send_keys(*keys)


def text(browser, name):
    return browser.find_element(By.ID, name).text


def at(browser):
    """The number of the frame, from 1, and how many there are."""
    return tuple(int(n) for n in text(browser, "count").split("/"))


def ask(browser, expression):
    """The value of an expression in the page; it may use the functions of report_page.js."""
    return browser.execute_script(f"{SCRIPT}\nreturn {expression};")


def read(shown):
    words = {"nan": "nan", "inf": "inf", "−inf": "-inf", "true": "1", "false": "0"}
    return [float(words.get(t, t.replace("−", "-"))) for t in shown]


def open_all(browser):
    browser.execute_script("document.getElementById('unfold').click()")


@pytest.mark.parametrize("name", ["classifier", "expression", "slices"])
def test_every_step_shows_the_numbers_of_the_trace(browser, pages, name):
    explanation, address = pages[name]
    steps = explanation.trace.steps
    browser.get(address)
    open_all(browser)
    _, count = at(browser)
    operations = [step for step in steps if step.kind != "input"]
    backward = [step for step in operations if step.gradient is not None]
    assert count == 3 + len(operations) + len(backward)
    seen = {"value": set(), "gradient": set(), "flow": set()}
    for frame in range(1, count + 1):
        assert at(browser) == (frame, count)
        for index, role, numbers, shown in ask(browser, "entries()"):
            step = steps[index]
            seen[role].add(index)
            if role == "flow":
                continue
            array = step.value if role == "value" else step.gradient
            if array is None:
                assert numbers == []
                continue
            expected = np.asarray(array, np.float64).ravel()
            np.testing.assert_allclose([float(n) for n in numbers], expected, rtol=1e-6)
            np.testing.assert_allclose(
                read(shown), expected, rtol=2e-3, atol=6e-4 * np.abs(expected).max(initial=0)
            )
        press(browser, Keys.ARROW_RIGHT)
    assert seen["value"] == {step.index for step in steps}
    with_gradient = {step.index for step in steps if step.gradient is not None}
    assert seen["gradient"] == with_gradient
    assert seen["flow"] == with_gradient - {explanation.trace.result}
    assert at(browser) == (count, count)


def test_keys_walk_forward_and_back_through_the_same_frames(browser, pages):
    browser.get(pages["expression"][1])
    forward = []
    _, count = at(browser)
    for _ in range(count):
        forward.append(text(browser, "panel"))
        press(browser, Keys.ARROW_RIGHT)
    assert len(set(forward)) == count
    back = []
    for _ in range(count):
        back.append(text(browser, "panel"))
        press(browser, Keys.ARROW_LEFT)
    assert back == forward[::-1]
    press(browser, Keys.END)
    assert at(browser) == (count, count)
    press(browser, Keys.HOME)
    assert at(browser) == (1, count)


def test_buttons_walk_too_and_are_off_where_they_lead_nowhere(browser, pages):
    browser.get(pages["expression"][1])
    buttons = {
        name: browser.find_element(By.ID, name) for name in ("first", "previous", "play", "next", "last")
    }
    assert all(button.get_attribute("aria-label") for button in buttons.values())
    _, count = at(browser)
    assert not buttons["first"].is_enabled()
    assert not buttons["previous"].is_enabled()
    for frame in range(2, count + 1):
        buttons["next"].click()
        assert at(browser) == (frame, count)
    assert not buttons["next"].is_enabled()
    assert not buttons["last"].is_enabled()
    buttons["previous"].click()
    assert at(browser) == (count - 1, count)
    buttons["first"].click()
    assert at(browser) == (1, count)
    buttons["last"].click()
    assert at(browser) == (count, count)


def test_play_runs_to_the_end_and_space_stops_it(browser, pages):
    browser.get(pages["expression"][1])
    browser.execute_script(
        "document.getElementById('speed').insertAdjacentHTML('beforeend', '<option value=40>')"
    )
    browser.execute_script("document.getElementById('speed').value = 40")
    _, count = at(browser)
    play = browser.find_element(By.ID, "play")
    play.click()
    assert play.get_attribute("aria-label") == WORDS["pause"]
    WebDriverWait(browser, 10).until(lambda b: at(b) == (count, count))
    assert play.get_attribute("aria-label") == WORDS["play"]
    browser.execute_script("document.getElementById('speed').value = 1; document.activeElement.blur()")
    press(browser, Keys.HOME, Keys.SPACE)
    assert play.get_attribute("aria-label") == WORDS["pause"]
    press(browser, Keys.SPACE)
    assert play.get_attribute("aria-label") == WORDS["play"]


def test_the_slider_and_the_live_line_follow(browser, pages):
    browser.get(pages["classifier"][1])
    slider = browser.find_element(By.ID, "slider")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert at(browser)[0] == 3
    line = browser.find_element(By.ID, "summary")
    assert line.get_attribute("aria-live") == "polite"
    assert slider.get_attribute("aria-valuetext") == line.text
    assert "relu" in line.text
    slider.send_keys(Keys.END)
    assert at(browser)[0] == at(browser)[1]


def marked(browser, selector):
    return ask(browser, f"ids('{selector}')")


def test_the_picture_marks_the_node_and_what_flows(browser, pages):
    explanation, address = pages["expression"]
    steps = {step.op or step.name: step for step in explanation.trace.steps}
    tanh, add = steps["tanh"], steps["add"]
    browser.get(address)
    while f"step-{tanh.index}" not in marked(browser, "#graph .node.current"):
        press(browser, Keys.ARROW_RIGHT)
    assert marked(browser, "#graph .edge.forward") == [f"edge-{add.index}-{tanh.index}"]
    assert marked(browser, "#graph .edge.backward") == []
    assert f"step-{explanation.trace.result}" in marked(browser, "#graph .node.waiting")
    press(browser, Keys.END)
    while marked(browser, "#graph .node.current") != [f"step-{tanh.index}"]:
        press(browser, Keys.ARROW_LEFT)
    assert marked(browser, "#graph .edge.backward") == [f"edge-{add.index}-{tanh.index}"]
    assert marked(browser, "#graph .edge.arrives") == [f"edge-{tanh.index}-{explanation.trace.result}"]
    assert f"step-{add.index}" in marked(browser, "#graph .node.known")
    browser.find_element(By.ID, f"step-{add.index}").click()
    assert marked(browser, "#graph .node.current") == [f"step-{add.index}"]


def test_gradients_that_meet_are_added_one_after_the_other(browser, pages):
    explanation, address = pages["expression"]
    a = next(step for step in explanation.trace.steps if step.name == "a")
    browser.get(address)
    arrived = []
    _, count = at(browser)
    for _ in range(count):
        sums = browser.find_elements(By.CSS_SELECTOR, "#panel .sum")
        arrived += [len(block.find_elements(By.CSS_SELECTOR, ".term")) for block in sums]
        last = sums[-1].text if sums else ""
        press(browser, Keys.ARROW_RIGHT)
        if arrived == [1, 2, 3]:
            break
    assert arrived == [1, 2, 3]
    numbers = [
        float(n) for n in re.findall(r"^−?\d[\d.]*(?:e−?\d+)?$", last, re.M) for n in [n.replace("−", "-")]
    ]
    assert sum(numbers[:3]) == pytest.approx(numbers[3], abs=2e-3)
    assert numbers[3] == pytest.approx(float(a.gradient), abs=1e-3)


def test_the_table_sorts_by_each_header(browser, pages):
    explanation, address = pages["classifier"]
    browser.get(address)
    table = explanation.table

    def order():
        return ask(browser, "order()")

    headers = browser.find_elements(By.CSS_SELECTOR, ".samples th")
    assert [h.find_element(By.TAG_NAME, "button").text for h in headers] == table.columns
    assert order() == [0, 1, 2, 3]
    column = table.columns.index("loss")
    losses = [row[column] for row in table.rows]
    button = headers[column].find_element(By.TAG_NAME, "button")
    button.click()
    assert order() == sorted(range(4), key=lambda i: -losses[i])
    assert headers[column].get_attribute("aria-sort") == "descending"
    button.send_keys(Keys.ENTER)
    assert order() == sorted(range(4), key=lambda i: losses[i])
    assert headers[column].get_attribute("aria-sort") == "ascending"
    button.click()
    assert order() == [0, 1, 2, 3]
    for header in headers:
        header.find_element(By.TAG_NAME, "button").click()
        assert sorted(order()) == [0, 1, 2, 3]
        assert [h.get_attribute("aria-sort") != "none" for h in headers] == [h == header for h in headers]


def test_groups_fold_and_open(browser, pages):
    explanation, address = pages["classifier"]
    browser.get(address)

    def nodes():
        return set(marked(browser, "#graph .node"))

    before, count = nodes(), at(browser)[1]
    key = next(k for k, g in explanation.trace.groups.items() if g.kind == "function")
    assert f"group-{key}" in before
    inside = {f"step-{s.index}" for s in explanation.trace.steps if key in s.group}
    assert not inside & before
    knob = browser.find_element(By.CSS_SELECTOR, f"[data-group='{key}']")
    assert knob.get_attribute("aria-expanded") == "false"
    knob.send_keys(Keys.ENTER)
    assert inside <= nodes()
    assert at(browser)[1] > count
    focused = browser.switch_to.active_element
    assert focused.get_attribute("data-group") == key
    assert focused.get_attribute("aria-expanded") == "true"
    focused.send_keys(Keys.SPACE)
    assert nodes() == before
    assert at(browser)[1] == count
    browser.find_element(By.ID, "refold").click()
    roots = [k for k, g in explanation.trace.groups.items() if g.parent is None]
    assert {f"group-{k}" for k in roots} <= nodes()
    _, short = at(browser)
    for _ in range(short):
        assert browser.find_elements(By.CSS_SELECTOR, "#panel h2")
        press(browser, Keys.ARROW_RIGHT)
    open_all(browser)
    assert len(nodes()) == len(explanation.trace.steps)


@pytest.mark.parametrize("name", CASES)
def test_nodes_do_not_overlap_and_stay_in_the_picture(browser, pages, name):
    browser.get(pages[name][1])
    assert ask(browser, "misplaced()") == 0
    for state in ("unfold", "refold"):
        browser.execute_script(f"document.getElementById('{state}').click()")
        assert ask(browser, "misplaced()") == 0


TEXTS = "p, td, th, h1, h2, h3, span, button, summary, b, li, dd, code"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(browser, pages, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(pages["classifier"][1])
    for frame in (1, 4, 12, 16):
        press(browser, Keys.HOME, *[Keys.ARROW_RIGHT] * frame)
        ratio, node = ask(browser, f"leastContrast('{TEXTS}')")
        assert ratio >= 4.5, node


def test_the_theme_can_be_turned_round(browser, pages):
    browser.get(pages["expression"][1])

    def paper():
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    button = browser.find_element(By.ID, "theme")
    button.click()
    dark = paper()
    assert max(map(int, re.findall(r"\d+", dark)[:3])) < 60 < min(map(int, re.findall(r"\d+", light)[:3]))
    button.click()
    assert paper() == light
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    assert paper() == light, "what was chosen stays"


@pytest.mark.parametrize("name", ["classifier", "large", "slices"])
def test_a_phone_shows_it_without_sideways_scrolling(browser, pages, name):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True},
    )
    browser.get(pages[name][1])
    _, count = at(browser)
    for frame in range(0, count, max(1, count // 8)):
        browser.execute_script("document.getElementById('slider').value = arguments[0]", frame)
        browser.execute_script("document.getElementById('slider').dispatchEvent(new Event('input'))")
        assert at(browser)[0] == frame + 1
        wide, screen = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert (wide, screen) == (390, 390)
    sizes = browser.execute_script(
        """return ["first", "previous", "play", "next", "last"].map((id) => {
          const box = document.getElementById(id).getBoundingClientRect();
          return [box.width, box.height, box.bottom];
        })"""
    )
    assert all(width >= 36 and height >= 36 and bottom <= 844 for width, height, bottom in sizes)


def test_paper_gets_all_steps_as_a_list(browser, pages):
    browser.get(pages["classifier"][1])
    _, count = at(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    frames = WebDriverWait(browser, 5).until(lambda b: b.find_elements(By.CSS_SELECTOR, "#list article"))
    assert len(frames) == count
    assert all(frame.is_displayed() for frame in frames)
    assert not browser.find_element(By.ID, "stepper").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, "#paper svg").is_displayed()
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3


def test_the_list_of_steps_opens_on_the_screen_too(browser, pages):
    browser.get(pages["expression"][1])
    browser.find_element(By.CSS_SELECTOR, "#steps summary").click()
    WebDriverWait(browser, 5).until(
        lambda b: len(b.find_elements(By.CSS_SELECTOR, "#list article")) == at(b)[1]
    )


def test_large_arrays_are_summarised_on_the_page(browser, pages):
    explanation, address = pages["large"]
    weight = next(step for step in explanation.trace.steps if step.shape == (40, 300))
    browser.get(address)
    entry = browser.find_element(By.CSS_SELECTOR, f"#panel .entry[data-step='{weight.index}']")
    shown = [float(dd.get_attribute("data-v")) for dd in entry.find_elements(By.CSS_SELECTOR, "dd")]
    assert shown == pytest.approx([weight.value.min(), weight.value.mean(), weight.value.max()], rel=1e-5)
    assert len(entry.find_elements(By.CSS_SELECTOR, ".map i")) > 100


def test_the_page_asks_nothing_of_the_network(browser, pages):
    browser.get(pages["classifier"][1])
    names = browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert [name for name in names if not name.startswith("data:")] == []


def test_everything_one_can_press_has_a_name_and_a_place_in_the_order(browser, pages):
    browser.get(pages["classifier"][1])
    assert ask(browser, "nameless()") == []
    order = []
    for _ in range(12):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        order.append(
            browser.execute_script("return document.activeElement.id || document.activeElement.tagName")
        )
    wanted = ["theme", "play", "next", "last", "slider", "speed"]
    assert [name for name in order if name in wanted] == wanted


def test_names_are_text_and_never_markup(browser, tmp_path):
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    explanation = explain((x * x).sum(), torch=False)
    evil = "</script><img src=x onerror=document.title='hacked'>"
    for step in explanation.trace.steps:
        step.name, step.note = evil + str(step.index), evil
        step.formula, step.latex = evil, ""
    browser.get(report(explanation, tmp_path / "evil.html").as_uri())
    press(browser, *[Keys.ARROW_RIGHT] * 6)
    assert browser.find_elements(By.CSS_SELECTOR, "img") == []
    assert browser.title != "hacked"
    assert evil in text(browser, "panel")


def test_chinese_readers_get_chinese(browser, tmp_path):
    loss = F.mse_loss(minigrad.tensor([1.0, 2.0], requires_grad=True), minigrad.tensor([0.0, 4.0]))
    browser.get(report(loss, tmp_path / "zh.html", lang="zh").as_uri())
    assert browser.execute_script("return document.documentElement.lang") == "zh-CN"
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "summary").startswith("前向 1/")
