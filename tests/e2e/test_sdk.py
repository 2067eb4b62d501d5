"""Microsoft's SDKs for Node, unmodified, drive the server: sdk/sdk.mjs has the checks, this starts it and counts them."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import make_server
from machines import put_machines
from npm import HERE, installed

PRINCIPALS = "/providers/Microsoft.Security/principals"
OWNER = "9d1f0e66-0000-4000-8000-000000000003"


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
