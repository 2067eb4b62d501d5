"""merlond as a program: options, first start, reload, stopping."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from conftest import ADMIN, MERLOND, PASSWORD, ROOT, Server

pytestmark = pytest.mark.fast


def run(*arguments):
    return subprocess.run([MERLOND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_help_and_version():
    text = run("--help")
    assert text.returncode == 0 and "reset-password" in text.stdout and "--listen ADDR:PORT" in run("run", "--help").stdout
    assert run("--version").stdout.startswith("merlond ")


@pytest.mark.parametrize("arguments, says", [
    ([], "a command is expected"),
    (["fly"], "there is no command 'fly'"),
    (["run", "--none"], "no option --none"),
    (["run", "--listen"], "--listen needs a value"),
    (["run", "--workers", "many"], "--workers takes a whole number"),
    (["init", "--listen", "x"], "'merlond init' takes no --listen"),
    (["run", "stray"], "'stray' is one argument too many"),
    (["run", "--config", "/none"], "/none"),
])
def test_a_wrong_command_line(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.parametrize("text, says", [
    ("listen: [1, 2]\n", "line 1: listen takes a single value"),
    ("\nlisten: 127.0.0.1:0\nlisten-on: x\n", "line 3: there is no option 'listen-on'"),
    ("- a\n", "a mapping of option names"),
    ("a: 'b\n", "line"),
    ('{"log-json": "perhaps"}', "log-json is true or false"),
])
def test_a_wrong_configuration(tmp_path, text, says):
    config = tmp_path / "merlond.yaml"
    config.write_text(text)
    done = run("run", "--config", config)
    assert done.returncode == 2 and says in done.stderr and str(config) in done.stderr


def test_a_configuration_file(tmp_path):
    config = tmp_path / "merlond.yaml"
    config.write_text("log-json: true\ntenant-name: Contoso\nname: [one.example, two.example]\n")
    server = Server(tmp_path, "--config", config)
    server.init()
    server.start()
    try:
        assert server.call("GET", "/tenants").json["value"][0]["displayName"] == "Contoso"
        names = subprocess.run(["openssl", "x509", "-in", server.state / "server.pem", "-noout", "-ext", "subjectAltName"],
                               capture_output=True, text=True, check=True).stdout
        assert "DNS:one.example" in names and "DNS:localhost" in names and "IP Address:127.0.0.1" in names
        assert json.loads(server.log().splitlines()[0])["program"] == "merlond"
    finally:
        assert server.stop() == 0


def test_the_first_start_makes_an_administrator(tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        path = server.state / "initial-password"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().strip() not in server.log()
        assert server.call("GET", "/subscriptions", password=path.read_text().strip()).status == 200
    finally:
        assert server.stop() == 0


def test_a_forgotten_password(own_server):
    token = own_server.token()
    own_server.stop()
    printed = own_server.command("reset-password", "--admin", ADMIN).stdout
    password = [line.split(": ")[1] for line in printed.splitlines() if line.startswith("password")][0]
    own_server.start()
    assert own_server.call("GET", "/subscriptions", token=token).status == 401
    assert own_server.token_request(grant_type="password", username=ADMIN, password=PASSWORD).status == 400
    own_server.tokens.clear()
    assert own_server.call("GET", "/subscriptions", password=password).status == 200


def test_commands_say_what_is_missing(tmp_path):
    done = run("reset-password", "--state", tmp_path / "none")
    assert done.returncode == 3 and "holds no server's state" in done.stderr
    server = Server(tmp_path)
    server.init()
    done = server.command("init", check=False)
    assert done.returncode == 1 and "has its administrator" in done.stderr
    short = tmp_path / "short"
    short.write_text("short\n")
    done = server.command("reset-password", "--password-file", short, check=False)
    assert done.returncode == 1 and "A password has" in done.stderr


def rules(server):
    return server.call("GET", "/providers/Microsoft.Security/ruleSets/current", version="2026-11-01").json["properties"]


def test_rules_are_reloaded_and_their_errors_shown(tmp_path):
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    server = Server(tmp_path, "--content", content)
    server.init()
    server.start()
    try:
        before = rules(server)
        assert before["errors"] == [] and before["rules"] > 0
        (content / "policies/broken.yaml").write_text("id: broken\ntitle: [\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while rules(server)["contentVersion"] == before["contentVersion"] and not rules(server)["errors"]:
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.1)
        after = rules(server)
        assert after["rules"] == before["rules"]
        assert after["errors"][0]["file"].endswith("broken.yaml") and after["errors"][0]["line"] > 0
        assert "broken.yaml" in server.log()
    finally:
        assert server.stop() == 0


def test_all_addresses(tmp_path):
    server = Server(tmp_path, "--listen", "0.0.0.0:0")
    server.init()
    server.start(host=None)
    try:
        assert server.send("GET", "/healthz").status == 200
        names = subprocess.run(["openssl", "x509", "-in", server.state / "server.pem", "-noout", "-ext", "subjectAltName"],
                               capture_output=True, text=True, check=True).stdout
        ours = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
        assert all(f"IP Address:{address}" in names for address in ours if "." in address)
    finally:
        assert server.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_is_given_up(tmp_path):
    tmp_path.chmod(0o711)
    content = shutil.copytree(ROOT / "content", tmp_path / "content")  # where nobody may read it
    server = Server(tmp_path, "--user", "nobody", "--content", content)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o711)
    server.start()
    try:
        status = open(f"/proc/{server.process.pid}/status", encoding="ascii").read()
        assert "Uid:\t65534\t65534\t65534\t65534" in status and "Groups:\t\n" in status.replace("Groups:\t \n", "Groups:\t\n")
        assert "CapEff:\t0000000000000400" in status  # binding low ports, nothing else
        assert server.state.stat().st_uid == 65534
        assert server.call("GET", "/subscriptions", password=(server.state / "initial-password").read_text().strip()).status == 200
    finally:
        assert server.stop() == 0


def test_a_port_in_use(server, tmp_path):
    other = Server(tmp_path)
    other.init()
    done = other.command("run", "--listen", f"127.0.0.1:{server.port}", "--content", ROOT / "content", check=False)
    assert done.returncode == 1 and "in use" in done.stderr


def test_stopping_lets_requests_end(own_server):
    assert own_server.call("GET", "/subscriptions").status == 200
    assert own_server.stop() == 0
    assert "stopping" in own_server.log()


@pytest.mark.skipif(os.environ.get("MLN_BUILD_KIND") == "sanitize", reason="a sanitized build is not filtered")
def test_it_cannot_be_dumped_or_start_programs(server):
    status = open(f"/proc/{server.process.pid}/status", encoding="ascii").read()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
