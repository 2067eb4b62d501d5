"""The unmodified az against the server: registering the cloud, signing in, and the commands around Microsoft.Security."""

import datetime
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from conftest import ADMIN, PASSWORD, make_server
from pages import Browser

pytestmark = pytest.mark.skipif(not shutil.which("az"), reason="az is not installed")


class Az:
    """az with a configuration of its own."""

    def __init__(self, server, directory):
        self.server = server
        self.env = {**os.environ, "AZURE_CONFIG_DIR": str(directory), "REQUESTS_CA_BUNDLE": server.ca,
                    "AZURE_CORE_COLLECT_TELEMETRY": "0", "AZURE_CORE_SURVEY_MESSAGE": "no",
                    "AZURE_CORE_ERROR_RECOMMENDATION": "off", "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
                    "AZURE_AUTO_UPGRADE_ENABLE": "no", "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off"}
        self("cloud", "register", "-n", "merlon", "--endpoint-resource-manager", server.url)
        self("cloud", "set", "-n", "merlon")

    def run(self, *arguments):
        return subprocess.run(["az", *arguments, "-o", "json"], env=self.env, capture_output=True, text=True, timeout=300,
                              check=False)

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, f"az {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture(scope="module")
def az_server():
    server = make_server()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def az(az_server, tmp_path_factory):
    az = Az(az_server, tmp_path_factory.mktemp("az"))
    account, = az("login", "-u", ADMIN, "-p", PASSWORD)
    assert account["id"] == az_server.subscription and account["user"]["name"] == ADMIN
    return az


def make_robot(server, **properties):
    principal = f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}"
    answer = server.call("PUT", f"/providers/Microsoft.Security/principals/{principal}", version="2026-11-01",
                         body={"properties": {"principalType": "ServicePrincipal", "appDisplayName": "robot", **properties}})
    assert answer.status == 201, answer.body
    server.assign(principal, "Reader", server.s)
    return principal


def test_a_service_principal_signs_in_by_secret(az_server, tmp_path):
    robot, az = make_robot(az_server), Az(az_server, tmp_path)
    made = az_server.call("POST", f"/providers/Microsoft.Security/principals/{robot}/addSecret", version="2026-11-01").json
    az("login", "--service-principal", "-u", robot, "-p", made["clientSecret"], "--tenant", "adfs")
    assert [group["name"] for group in az("group", "list")] == ["default"]
    refused = az.run("group", "create", "-n", "no", "-l", "local")
    assert refused.returncode == 1 and "(AuthorizationFailed)" in refused.stderr


def test_a_service_principal_signs_in_by_certificate(az_server, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "robot")])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    pem = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
           .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
           .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256())
           .public_bytes(serialization.Encoding.PEM))
    both = tmp_path / "robot.pem"
    both.write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))
    robot, az = make_robot(az_server, certificates=[pem.decode()]), Az(az_server, tmp_path / "az")
    az("login", "--service-principal", "-u", robot, "-p", str(both), "--tenant", az_server.tenant)
    assert az("account", "show")["user"]["name"] == robot


def test_a_device_code(az_server, tmp_path):
    az, browser = Az(az_server, tmp_path), Browser(az_server)
    login = subprocess.Popen(["az", "login", "--use-device-code", "-o", "json"], env=az.env, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    try:
        code = None
        while not code:
            line = login.stderr.readline()
            assert line, "az ended"
            code = re.search(r"enter the code ([A-Z]{4}-[A-Z]{4})", line)
        browser.get("/adfs/oauth2/deviceauth")
        browser.sign_in()
        browser.submit(user_code=code.group(1), step="find")
        assert b"Done." in browser.submit(step="allow").body
        out, _ = login.communicate(timeout=120)
    finally:
        login.kill()
        login.wait()
    assert json.loads(out)[0]["user"]["name"] == ADMIN


def test_a_browser(az_server, tmp_path):
    """az opens a page and waits on this machine for what it is sent back to."""
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", 8400)):
            pytest.skip("port 8400, where az waits for the browser, is taken")
    az, browser, address = Az(az_server, tmp_path), Browser(az_server), tmp_path / "address"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" >{address}.new && mv {address}.new {address}\n')
    script.chmod(0o700)
    login = subprocess.Popen(["az", "login", "-o", "json"], env={**az.env, "BROWSER": f"{script} %s"}, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not address.exists():
            assert login.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        wanted = urllib.parse.urlsplit(address.read_text())
        browser.get(f"{wanted.path}?{wanted.query}")
        back = browser.sign_in().headers["location"]
        with urllib.request.urlopen(back, timeout=60) as page:
            assert page.status == 200
        out, _ = login.communicate(timeout=120)
    finally:
        login.kill()
        login.wait()
    assert json.loads(out)[0]["user"]["name"] == ADMIN


def test_a_wrong_password_is_told(az_server, tmp_path):
    done = Az(az_server, tmp_path).run("login", "-u", ADMIN, "-p", "wrong")
    assert done.returncode == 1 and "The name or the secret is not right" in done.stderr


def test_groups_providers_and_locations(az):
    assert az("account", "list-locations")[0]["name"] == "local"
    assert az("group", "create", "-n", "by-az", "-l", "local", "--tags", "a=b")["tags"] == {"a": "b"}
    assert az("group", "show", "-n", "by-az")["properties"]["provisioningState"] == "Succeeded"
    az("group", "delete", "-n", "by-az", "-y")
    done = az.run("group", "show", "-n", "by-az")
    assert done.returncode == 3 and "(ResourceGroupNotFound)" in done.stderr
    assert az("provider", "show", "-n", "Microsoft.Security")["registrationState"] == "Registered"
    az("provider", "register", "-n", "Microsoft.Security", "--wait")


def test_the_activity_log(az):
    az("group", "create", "-n", "by-az", "-l", "local")
    az("group", "delete", "-n", "by-az", "-y")
    entries = az("monitor", "activity-log", "list", "-g", "by-az", "--offset", "1h")
    assert {e["operationName"]["value"] for e in entries} == {"Microsoft.Resources/subscriptions/resourceGroups/write",
                                                              "Microsoft.Resources/subscriptions/resourceGroups/delete"}


@pytest.mark.parametrize("command", ["secure-scores list", "secure-score-controls list", "assessment list",
                                     "assessment-metadata list", "pricing list", "setting list", "contact list", "alert list",
                                     "location list", "task list", "auto-provisioning-setting list", "workspace-setting list"])
def test_security_lists(az, command):
    assert az("security", *command.split()) is not None


def test_plans_are_switched(az):
    assert az("security", "pricing", "create", "-n", "VirtualMachines", "--tier", "standard")["pricingTier"] == "Standard"
    assert az("security", "pricing", "show", "-n", "VirtualMachines")["pricingTier"] == "Standard"


def test_a_token_works_without_az(az, az_server):
    token = az("account", "get-access-token")["accessToken"]
    assert az_server.call("GET", az_server.s, token=token).status == 200
