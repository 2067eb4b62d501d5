"""The agent's service against a server: enrolment, reports, changes, restarts of either side, rights, good-bye.

It collects from a tree of its own (--root), so that a test can change a file and nothing else on this machine does.
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

import pytest

from conftest import BUILD, make_server

AGENT = BUILD / "merlon-agent"
VERSION = "2026-11-01"
PATIENCE_S = 60
MACHINE = "/providers/Microsoft.HybridCompute/machines/"


def eventually(condition, what):
    """The first true value of a condition."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


def fingerprint(path):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pathlib.Path(path).read_text())).hexdigest()


class Machine:
    """A tree to collect from, a state directory, and the service."""

    def __init__(self, directory, server, name):
        self.directory, self.server, self.name = directory, server, name
        self.root, self.state = directory / "root", directory / "state"
        self.process = None
        self.write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian of the tests\"\nVERSION_ID=12\n")
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        self.write("etc/shadow", "root:*:19000:0:99999:7:::\n")
        self.write("etc/group", "root:x:0:\n")
        self.write("etc/issue.net", "Debian of the tests \\r\n")
        self.write("usr/sbin/sshd", "")
        self.write("etc/ssh/sshd_config", "PermitRootLogin yes\n")

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        beside.write_text(text)
        beside.rename(target)

    def command(self, *arguments, environment=None):
        return subprocess.run([AGENT, *arguments, "--state", self.state], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S, env={**os.environ, **(environment or {})})

    def enroll(self, *trust, token=None):
        trust = trust or ("--ca-fingerprint", fingerprint(self.server.ca))
        return self.command("enroll", "--server", self.server.url, "--token", token or make_token(self.server), "--name", self.name,
                            *trust)

    def start(self, **options):
        log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen([AGENT, "run", "--state", self.state, "--root", self.root], stderr=log, **options)
        log.close()
        return self

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(PATIENCE_S) == 0, self.log()
        self.process = None

    def log(self):
        return (self.directory / "log").read_text()

    def resource(self):
        answer = self.server.call("GET", f"{self.server.g}{MACHINE}{self.name}", version="2024-07-10")
        return answer.json if answer.status == 200 else None

    def facts(self):
        return ((self.resource() or {}).get("properties") or {}).get("facts")

    def children(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in path.read_text().split()]

    def link(self):
        for child in self.children():
            try:
                if pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[1] == b"link":
                    return child
            except (FileNotFoundError, IndexError):
                continue
        return None


def make_token(server, **properties):
    answer = server.call("POST", f"{server.g}/providers/Microsoft.Security/enrolmentTokens", version=VERSION,
                         body={"properties": properties})
    assert answer.status == 201, answer.body
    return answer.json["properties"]["token"]


def process_status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in lines if ":" in line}


@pytest.fixture(name="directory")
def directory_that_others_may_enter():
    """The link runs as another user than the tests."""
    with tempfile.TemporaryDirectory(prefix="merlon-e2e-agent-") as directory:
        os.chmod(directory, 0o755)
        yield pathlib.Path(directory)


@pytest.fixture
def machine(server, directory, request):
    machine = Machine(directory, server, request.node.name.replace("_", "-")[:50])
    yield machine
    machine.stop()


def test_enrolment_by_fingerprint_and_by_file(machine):
    wrong = "0" * 64
    refused = machine.enroll("--ca-fingerprint", wrong)
    assert refused.returncode == 4
    assert "fingerprint" in refused.stderr
    refused = machine.enroll(token="mlt_" + "A" * 43)
    assert refused.returncode == 4
    assert "401" in refused.stderr
    done = machine.enroll()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"enrolled as {machine.server.g}{MACHINE}{machine.name}\n"
    assert oct(machine.state.stat().st_mode & 0o777) == "0o700"
    assert {oct(file.stat().st_mode & 0o777) for file in machine.state.iterdir()} == {"0o600"}
    assert machine.enroll().returncode == 1  # it is enrolled
    assert machine.resource()["properties"]["status"] == "Connected"
    shutil.rmtree(machine.state)
    done = machine.enroll("--ca", machine.server.ca)
    assert done.returncode == 0, done.stderr


def test_a_token_from_the_environment_and_a_wrong_use(machine):
    assert machine.command("enroll", "--server", machine.server.url).returncode == 2
    assert machine.command("enroll", "--server", "http://h", "--token", "x").returncode == 2
    assert machine.command("run").returncode == 3
    assert "not enrolled" in machine.command("status").stderr
    done = machine.command("enroll", "--server", machine.server.url, "--name", machine.name, "--ca", machine.server.ca,
                           environment={"MERLON_ENROLMENT_TOKEN": make_token(machine.server)})
    assert done.returncode == 0, done.stderr


def test_facts_arrive_and_changes_follow(machine):
    machine.enroll()
    machine.start()
    facts = eventually(machine.facts, "facts")
    assert facts["os"]["prettyName"] == "Debian of the tests"
    assert facts["sshd"]["effective"]["permitrootlogin"] == "yes"
    assert facts["errors"]["mounts"] == "only the running machine can tell"
    machine.write("etc/ssh/sshd_config", "PermitRootLogin no\n")
    began = time.monotonic()
    eventually(lambda: machine.facts()["sshd"]["effective"]["permitrootlogin"] == "no", "the change of a file")
    print(f"a changed file was answered for after {time.monotonic() - began:.3f} s")
    machine.write("etc/sudoers", "anna ALL=(ALL) NOPASSWD: ALL\n")  # a file that was not there
    eventually(lambda: machine.facts()["sudo"]["rules"], "a new file")
    (machine.root / "etc/sudoers").unlink()
    eventually(lambda: not machine.facts()["sudo"]["rules"], "a removed file")
    (machine.root / "etc/issue.net").chmod(0o666)
    eventually(lambda: machine.facts()["files"]["/etc/issue.net"]["mode"] == "0666", "a changed mode")
    assert "connected        yes" in machine.command("status").stdout
    assert json.loads(machine.command("status", "--json").stdout)["connected"] is True


def test_the_assessment_follows_the_file(machine):
    machine.enroll()
    machine.start()

    def status():
        answer = machine.server.call(
            "GET", f"{machine.server.g}{MACHINE}{machine.name}/providers/Microsoft.Security/assessments", version="2020-01-01")
        found = [a["properties"]["status"]["code"] for a in answer.json.get("value", [])
                 if a["properties"]["displayName"].startswith("SSH") and "root" in a["properties"]["displayName"]]
        return found

    eventually(lambda: "Unhealthy" in status(), "an unhealthy assessment")
    machine.write("etc/ssh/sshd_config", "PermitRootLogin no\n")
    eventually(lambda: status() and "Unhealthy" not in status(), "a healthy assessment")


def test_it_goes_on_after_a_restart_with_differences(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    machine.stop()
    acked = (machine.state / "acked.json").read_bytes()
    assert hashlib.sha256(acked).hexdigest()
    assert json.dumps(json.loads(acked), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == acked
    machine.write("etc/issue.net", "keep out\n")
    machine.start()
    eventually(lambda: machine.facts()["banners"]["issueNet"]["leaksVersion"] is False, "a change made meanwhile")


def test_it_sends_everything_when_the_server_has_other_facts(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    changed = machine.resource()
    changed["properties"]["facts"]["os"]["prettyName"] = "somebody else's words"
    answer = machine.server.call("PUT", f"{machine.server.g}{MACHINE}{machine.name}", version="2024-07-10", body=changed)
    assert answer.status in (200, 201), answer.body
    machine.write("etc/issue.net", "keep out\n")
    eventually(lambda: machine.facts()["banners"]["issueNet"]["leaksVersion"] is False, "the report after a mismatch")
    assert machine.facts()["os"]["prettyName"] == "Debian of the tests"


def test_the_server_may_go_away_and_come_back(directory):
    server = make_server()
    machine = Machine(directory, server, "patient")
    try:
        machine.enroll()
        machine.start()
        eventually(machine.facts, "facts")
        listen = server.port
        server.stop()
        machine.write("etc/issue.net", "keep out\n")
        eventually(lambda: "next try" in machine.log(), "a failure in the log")
        assert "connected        no" in machine.command("status").stdout
        server.options = (*server.options, "--listen", f"127.0.0.1:{listen}")
        server.start()
        eventually(lambda: machine.facts()["banners"]["issueNet"]["leaksVersion"] is False, "the report after the absence")
        eventually(lambda: "answers again" in machine.log(), "the good news in the log")
    finally:
        machine.stop()
        server.stop()


def test_a_link_that_dies_is_started_again(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    first = machine.link()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: machine.link() not in (None, first), "another link")
    machine.write("etc/issue.net", "keep out\n")
    eventually(lambda: machine.facts()["banners"]["issueNet"]["leaksVersion"] is False, "a report of the new link")


def test_one_agent_a_state_directory(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    second = machine.command("run")
    assert second.returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_rights_of_the_processes(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    keeper, link = process_status(machine.process.pid), process_status(machine.link())
    allowed = sum(1 << number for number in (2, 5, 6, 7, 8, 12, 13, 19, 30))
    assert int(keeper["CapEff"], 16) & ~allowed == 0
    assert int(keeper["CapBnd"], 16) & ~allowed == 0
    assert keeper["NoNewPrivs"] == "1"
    assert link["Uid"].split()[0] != "0"
    assert {int(link[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert link["NoNewPrivs"] == "1"
    assert link["Seccomp"] == "2"
    assert machine.state.stat().st_uid == int(link["Uid"].split()[0])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that others may not read")
def test_without_root_it_says_what_it_cannot_read(machine):
    machine.enroll()
    os.chmod(machine.root / "etc/shadow", 0o600)
    for path in [machine.state, *machine.state.iterdir()]:
        os.chown(path, 65534, 65534)
    machine.start(user=65534, group=65534, extra_groups=[])
    facts = eventually(machine.facts, "facts")
    assert facts["agent"] == {"user": "nobody", "root": False, "version": facts["agent"]["version"],
                              "containerised": facts["agent"]["containerised"]}
    assert "users" not in facts
    assert "Permission denied" in facts["errors"]["users"]
    assert facts["os"]["id"] == "debian"


def test_good_bye(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    machine.stop()
    done = machine.command("unenroll")
    assert done.returncode == 0, done.stderr
    assert machine.resource()["properties"]["status"] == "Disconnected"
    assert {file.name for file in machine.state.iterdir()} <= {"agent.lock", "machine-id"}
    assert machine.command("run").returncode == 3


def test_a_revoked_machine_is_told(machine):
    machine.enroll()
    revoked = machine.server.call("DELETE", f"{machine.server.g}{MACHINE}{machine.name}/providers/Microsoft.Security/enrolments/default",
                                  version=VERSION)
    assert revoked.status in (200, 204), revoked.body
    machine.start()
    eventually(lambda: "401" in machine.log(), "the refusal in the log")
