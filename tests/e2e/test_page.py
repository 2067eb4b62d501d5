"""The console in a real browser: what a person sees, does with mouse or keyboard alone, and what the browser has to complain of."""

import urllib.parse

import pytest

from conftest import ADMIN, BUILD, PASSWORD, make_server
from machines import GOOD_SSHD, GOOD_SYSCTL, MACHINES, facts, listener, machine, machine_id, put_machines
from npm import installed
from webdriver import CHROMEDRIVER, CHROMIUM, ENTER, SPACE, TAB, Browser

pytestmark = pytest.mark.skipif(not CHROMIUM or not CHROMEDRIVER, reason="chromium and chromium-driver are not installed")

SHOTS = BUILD / "screenshots"
ROOT_LOGIN = "SSH should not let root sign in"


@pytest.fixture(scope="module")
def server():
    server = make_server()
    put_machines(server)
    # One machine is mended, so that the score has a history.
    server.call("PUT", machine_id(server, "db-1"), machine(facts(GOOD_SSHD, GOOD_SYSCTL, [listener(22, "sshd")], "0640")))
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="module")
def signed_in(server, tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"), server.state / "server.pem")
    try:
        browser.open(f"{server.url}/ui/")
        browser.wait("location.pathname === '/ui/signin'")  # nobody is signed in yet
        browser.log()  # where the 401 that led here is noted
        sign_in(browser)
        yield browser
    finally:
        browser.close()


def sign_in(browser):
    browser.type("input[name=username]", ADMIN)
    browser.type("input[name=password]", PASSWORD)
    browser.click("button[value=signin]")
    browser.wait("location.pathname === '/ui/'")


def load(browser, server, query=""):
    browser.open("about:blank")
    browser.open(f"{server.url}/ui/{query}")
    browser.wait("document.querySelector('#score text') && document.querySelectorAll('#first li').length + document.querySelector("
                 "'#together').textContent.length > 0 && document.querySelectorAll('#machines li').length > 0")


@pytest.fixture
def page(signed_in, server):
    """The first page, read; afterwards the browser must have had nothing to complain of."""
    signed_in.resize(1280, 900)
    signed_in.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    load(signed_in, server)
    signed_in.run("localStorage.clear()")
    signed_in.log()
    yield signed_in
    assert signed_in.log() == []
    assert signed_in.run("return violations") == []
    assert signed_in.run("return document.querySelector('#problem')?.hidden ?? true")


def test_signing_in_is_a_plain_form(server, tmp_path):
    browser = Browser(tmp_path / "profile", server.state / "server.pem")
    try:
        browser.open(f"{server.url}/ui/signin")
        browser.screenshot(SHOTS / "signin.png", whole=False)
        browser.type("input[name=username]", ADMIN)
        browser.type("input[name=password]", "not the password" + ENTER)
        browser.wait("document.querySelector('[role=alert]')")
        browser.screenshot(SHOTS / "signin-refused.png", whole=False)
        browser.prefer(prefers_color_scheme="dark")
        browser.screenshot(SHOTS / "signin-dark.png", whole=False)
        assert browser.run("return document.activeElement === document.body || document.activeElement.form !== null")
        sign_in(browser)
        browser.wait("document.querySelector('#score text')")
        browser.click("form[action='/ui/signout'] button")
        browser.wait("location.pathname === '/ui/signin'")
        browser.open(f"{server.url}/ui/")
        browser.wait("location.pathname === '/ui/signin'")
        assert browser.run("return violations") == []
    finally:
        browser.close()


def test_the_score_is_the_apis(page, server):
    score = server.call("GET", f"{server.s}/providers/Microsoft.Security/secureScores/ascScore", version="2020-01-01").json
    share = score["properties"]["score"]["percentage"]
    assert page.run("return document.querySelector('#score text').textContent") in (f"{share:.1%}", f"{share:.0%}")
    assert f"{len(MACHINES)} resources" in page.text("#score")
    assert page.count("#controls tbody tr") == 15
    assert page.count("#machines li") == len(MACHINES)
    assert page.count("#first li") == 3 and "All together" in page.text("#together")
    assert "Last change" in page.text("#trend")
    page.screenshot(SHOTS / "light.png")


def test_recommendations_are_filtered_and_the_address_says_so(page, server):
    everything = page.count("details.item")
    page.type("#text", "ssh root-login")
    assert page.run("return location.search") == "?q=ssh+root-login"
    assert page.count("details.item") == 1 and ROOT_LOGIN in page.text("details.item")
    assert page.text("#count").startswith("1 of ")
    page.run("const s = document.querySelector('#severity'); s.value = 'Low'; s.dispatchEvent(new Event('input', {bubbles: true}))")
    assert page.run("return location.search") == "?q=ssh+root-login&severity=Low"
    assert page.count("details.item") == 0 and "matches this filter" in page.text(".empty")
    load(page, server, "?severity=High&status=all")  # the address alone brings it back
    assert page.run("return document.querySelector('#severity').value") == "High"
    assert 0 < page.count("details.item") != everything
    assert page.run("return [...document.querySelectorAll('.severity')].every((e) => e.textContent === 'High')")


def test_a_recommendation_shows_its_findings(page, server):
    page.type("#text", "ssh root-login")
    page.click("details.item summary")
    page.wait("document.querySelectorAll('details.item tbody tr').length > 0")
    body = page.text("details.item .body")
    assert "How to fix it" in body and "PermitRootLogin is yes" in body and "web-1" in body and "Unhealthy" in body
    page.screenshot(SHOTS / "recommendation.png")
    linked = urllib.parse.urlsplit(page.address)
    assert linked.fragment
    load(page, server, f"#{linked.fragment}")  # a link to it opens it
    page.wait("document.querySelector('details.item[open]')?.innerText.includes(arguments[0])", "PermitRootLogin is yes")


def test_fix_these_first_leads_there(page):
    page.click("#first li a")
    page.wait("document.querySelector('details.item[open]')")
    assert page.run("return document.activeElement.parentElement.open && document.activeElement.localName") == "summary"


def focus(page):
    return page.run("""const e = document.activeElement;
        return [e.localName, e.id || e.className || e.getAttribute('href') || '', (e.innerText || '').slice(0, 60)]""")


def tab_to(page, wanted, most=80):
    """Presses Tab until the focus is where `wanted` says; every stop must be seen to have the focus."""
    for _ in range(most):
        page.press(TAB)
        here = focus(page)
        assert page.run("""const s = getComputedStyle(document.activeElement);
            return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2"""), f"the focus cannot be seen on {here}"
        if wanted(here):
            return here
    raise AssertionError("the keyboard does not get there")


def test_the_keyboard_alone(page):
    page.press(TAB)
    assert focus(page)[1] == "skip"
    page.press(ENTER)
    assert page.run("return document.activeElement.id") == "main"
    tab_to(page, lambda here: here[0] == "a" and here[1].startswith("#"))  # what to fix first
    page.press(ENTER)
    page.wait("document.activeElement.localName === 'summary'")
    page.press(SPACE)  # shuts it
    page.wait("!document.querySelector('details.item[open]')")
    page.press(ENTER)
    page.wait("document.querySelectorAll('details.item[open] tbody tr').length > 0")
    page.run("document.querySelector('#main').focus()")
    tab_to(page, lambda here: here[1] == "text")
    page.press(*"audit")
    page.wait("location.search === '?q=audit'")


def test_light_and_dark(page, server):
    def ground():
        return page.run("return getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.prefer(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    assert ground() != light
    page.screenshot(SHOTS / "dark.png")
    page.click("#theme")
    assert page.text("#theme").endswith("light") and ground() == light  # the choice goes before the system's
    load(page, server)
    assert ground() == light
    page.click("#theme")
    assert page.text("#theme").endswith("dark") and ground() != light


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_no_width_scrolls_sideways(page, server, width):
    page.resize(width, 800)
    load(page, server)
    page.click("details.item summary")
    page.wait("document.querySelectorAll('details.item tbody tr').length > 0")
    page.screenshot(SHOTS / f"width-{width}.png")
    page.run("window.scrollTo(0, 0)")
    page.screenshot(SHOTS / f"width-{width}-top.png", whole=False)
    wide = page.run("""const w = document.documentElement.clientWidth;
        return [document.documentElement.scrollWidth > w, [...document.querySelectorAll('body *')].filter((e) =>
            e.getBoundingClientRect().right > w + 1 && !e.closest('.scroll, pre, svg, .skip')).map((e) => e.outerHTML.slice(0, 100))]""")
    assert wide == [False, []]


def test_an_empty_server(tmp_path):
    server = make_server()
    browser = Browser(tmp_path / "profile", server.state / "server.pem")
    try:
        browser.open(f"{server.url}/ui/signin")
        sign_in(browser)
        browser.wait("document.querySelector('#recommendations').innerText.length > 0 && document.querySelector('#score text')")
        assert "Nothing has been assessed yet" in browser.text("#recommendations")
        assert "merlon token create" in browser.text("#machines") and "No score yet" in browser.text("#score")
        assert "NaN" not in browser.text("body") and "undefined" not in browser.text("body")
        browser.screenshot(SHOTS / "empty.png")
        assert browser.log() == []
    finally:
        browser.close()
        server.stop()


def test_a_server_that_goes_away_is_told(tmp_path):
    server = make_server()
    browser = Browser(tmp_path / "profile", server.state / "server.pem")
    try:
        put_machines(server)
        browser.open(f"{server.url}/ui/signin")
        sign_in(browser)
        browser.wait("document.querySelector('#machines li')")
        server.stop()
        browser.wait("!document.querySelector('#problem').hidden", timeout=40)
        assert "it does not answer. What is shown may be old." in browser.text("#problem") and browser.count("#machines li") > 0
        browser.screenshot(SHOTS / "gone.png")
    finally:
        browser.close()
        server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(page, server, scheme):
    """axe finds no violation, also in an open recommendation and on the sign-in page."""
    axe = (installed() / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    check = axe + """; const done = arguments[arguments.length - 1];
        axe.run(document, {resultTypes: ["violations"]}).then((r) => done(r.violations.map((v) =>
            `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 5).join(", ")}`)), (e) => done([String(e)]))"""
    page.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    page.run("window.scrollTo(0, 0)")
    page.click("details.item summary")
    page.wait("document.querySelectorAll('details.item tbody tr').length > 0")
    assert page.run_async(check) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_of_signing_in(server, tmp_path, scheme):
    axe = (installed() / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    browser = Browser(tmp_path / "profile", server.state / "server.pem")
    try:
        browser.prefer(prefers_color_scheme=scheme)
        browser.open(f"{server.url}/ui/signin")
        found = browser.run_async(axe + """; const done = arguments[arguments.length - 1];
            axe.run().then((r) => done(r.violations.map((v) => `${v.id}: ${v.help}`)), (e) => done([String(e)]))""")
        assert found == []
    finally:
        browser.close()
