"""A small client of WebDriver (the W3C's protocol), enough to drive Chromium through chromedriver."""

import base64
import hashlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for a reference
TAB, ENTER, SPACE = "\ue004", "\ue007", " "
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en"]
WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sample}`));"""


class WebDriverError(Exception):
    """What the driver answered instead of a value."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def key_pin(certificate_path):
    """The certificate's public key as Chromium's list of keys to be trusted wants it."""
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class Browser:
    """One Chromium with a profile of its own, that trusts the server with this certificate beside the known ones."""

    def __init__(self, profile, certificate_path, size=(1280, 900)):
        self.session = None
        self.port = free_port()
        self.driver = subprocess.Popen([CHROMEDRIVER, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        flags = [*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}",
                 f"--ignore-certificate-errors-spki-list={key_pin(certificate_path)}"]
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                  "goog:chromeOptions": {"binary": CHROMIUM, "args": flags}}
        end = time.monotonic() + 60
        while True:
            try:
                self.session = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
                break
            except OSError:
                if time.monotonic() > end:
                    self.close()
                    raise
                time.sleep(0.1)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def call(self, method, path, body=None):
        address = f"http://127.0.0.1:{self.port}/session" + (f"/{self.session}" if self.session else "") + path
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(f"{value['error']}: {value['message']}") from None

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(30)

    # ---- what a user does ----

    def open(self, address):
        self.call("POST", "/url", {"url": address})

    @property
    def address(self):
        return self.call("GET", "/url")

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click")

    def type(self, selector, text):
        """Puts the text in the place of what the field holds."""
        field = self.find(selector)
        self.call("POST", f"/element/{field}/clear")
        self.call("POST", f"/element/{field}/value", {"text": text})

    def press(self, *keys):
        """Keys to whatever has the focus."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    # ---- what a test asks ----

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """The script calls its last argument with the answer."""
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def wait(self, script, *arguments, timeout=20):
        end = time.monotonic() + timeout
        while not (value := self.run(f"return {script}", *arguments)):
            assert time.monotonic() < end, f"never true: {script}\n{self.text('body')[:2000]}"
            time.sleep(0.05)
        return value

    def log(self):
        """What the browser logged since the last call: warnings and errors of the page and of the network."""
        return [entry for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] in ("WARNING", "SEVERE")]

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, **features):
        """Media features: prefer(prefers_color_scheme="dark")."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": name.replace("_", "-"), "value": value} for name, value
                                                         in features.items()])

    def screenshot(self, path, whole=True):
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}} if whole else {}
        data = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
