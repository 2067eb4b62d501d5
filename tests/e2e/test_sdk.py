"""Microsoft's SDKs for Node, unmodified, drive the server: sdk/sdk.mjs has the checks, this starts it and counts them."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, make_server
from machines import put_machines

HERE = pathlib.Path(__file__).parent / "sdk"
FILES = ("package.json", "package-lock.json", ".npmrc")
PRINCIPALS = "/providers/Microsoft.Security/principals"
OWNER = "9d1f0e66-0000-4000-8000-000000000003"


def installed():
    """The directory where npm has put what package-lock.json names: outside the tree's own files, once for each lock."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("node and npm are not installed")
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    directory = BUILD / "npm" / wanted[:16]
    if not (directory / "done").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for name in FILES:
            shutil.copy(HERE / name, directory)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode and re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED|EHOSTUNREACH", done.stderr):
            pytest.skip("npm has no registry within reach, and the packages are not in its cache")
        assert done.returncode == 0, done.stderr
        (directory / "done").touch()
    return directory


@pytest.fixture(scope="module")
def server():
    server = make_server()
    put_machines(server)
    yield server
    assert server.stop() == 0, server.log()


def test_the_security_sdk(server):
    directory = installed()
    server.call("PUT", f"{PRINCIPALS}/{OWNER}", {"properties": {"principalType": "ServicePrincipal", "appDisplayName": "sdk"}})
    secret = server.call("POST", f"{PRINCIPALS}/{OWNER}/addSecret").json["clientSecret"]
    server.assign(OWNER, "Owner", "")
    server.assign(server.add_user("reader"), "Reader", server.s)
    shutil.copy(HERE / "sdk.mjs", directory)
    env = {**os.environ, "NODE_EXTRA_CA_CERTS": server.ca, "MERLON_URL": server.url, "MERLON_SUBSCRIPTION": server.subscription,
           "MERLON_CLIENT_ID": OWNER, "MERLON_CLIENT_SECRET": secret, "MERLON_READER_TOKEN": server.token("reader")}
    done = subprocess.run(["node", "sdk.mjs"], cwd=directory, env=env, capture_output=True, text=True, timeout=300, check=False)
    passed, failed = re.findall("^ok ", done.stdout, re.MULTILINE), re.findall("^not ok .*", done.stdout, re.MULTILINE)
    print(f"conformance: npm-arm-security {len(passed)} of {len(passed) + len(failed)}")
    assert not failed, "\n".join(failed)
    assert done.returncode == 0 and len(passed) > 100, done.stdout[-2000:] + done.stderr[-4000:]
