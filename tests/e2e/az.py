"""Debian's az, unmodified, as a client: each one with a configuration directory of its own, quiet and offline."""

import dataclasses
import json
import os
import re
import shutil
import subprocess

AZ = shutil.which("az")
CALL_S = 120
QUIET = {
    "AZURE_CORE_COLLECT_TELEMETRY": "0", "AZURE_CORE_SURVEY_MESSAGE": "no", "AZURE_CORE_ERROR_RECOMMENDATION": "off",
    "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no", "AZURE_AUTO_UPGRADE_ENABLE": "no", "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
    "AZURE_CORE_NO_COLOR": "1", "AZURE_CORE_DISABLE_PROGRESS_BAR": "1",
}
FAILED, NOT_FOUND = 1, 3  # az's exit statuses


@dataclasses.dataclass
class Result:
    """How one call of az ended."""

    words: tuple
    status: int
    out: str
    err: str

    @property
    def value(self):
        return json.loads(self.out) if self.out.strip() else None

    def __str__(self):
        return f"az {' '.join(self.words)}: {self.status}\n{self.out[-2000:]}\n{self.err[-2000:]}"


class Tally:
    """Counts the calls that were judged and those that ended as they should: the line that tools/test repeats."""

    def __init__(self):
        self.passed = self.total = 0

    def judge(self, result, good):
        self.total += 1
        self.passed += bool(good)
        assert good, str(result)
        return result.value if result.out.lstrip()[:1] in ("{", "[") else result.out


class Az:
    def __init__(self, server, directory, tally):
        self.server, self.directory, self.tally = server, directory, tally
        directory.mkdir(exist_ok=True)
        self.env = {**os.environ, **QUIET, "AZURE_CONFIG_DIR": str(directory), "REQUESTS_CA_BUNDLE": server.ca,
                    "LC_ALL": "C.UTF-8"}

    def start(self, *words):
        return subprocess.Popen([AZ, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *words):
        done = subprocess.run([AZ, *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=CALL_S, check=False)
        return Result(words, done.returncode, done.stdout, done.stderr)

    def ok(self, *words, when=lambda value: True):
        """The call succeeds and `when` holds for what it printed, which is given back."""
        result = self.run(*words)
        return self.tally.judge(result, result.status == 0 and when(result.value if result.out.strip() else None))

    def fails(self, status, text, *words):
        """The call ends with this status and says this (a regular expression), without a traceback."""
        result = self.run(*words)
        good = result.status == status and re.search(text, result.err) and "Traceback" not in result.err
        self.tally.judge(result, good)
        return result.err

    def register_cloud(self):
        self.ok("cloud", "register", "-n", "merlon", "--endpoint-resource-manager", self.server.url)
        self.ok("cloud", "set", "-n", "merlon")
        return self

    def login(self, *words):
        return self.ok("login", *words, when=lambda value: value[0]["id"] == self.server.subscription)
