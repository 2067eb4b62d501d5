"""`make run`, `make status`, `make stop`: the server, this machine enrolled in it, and the agent, from nothing."""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

from conftest import BUILD, ROOT


@pytest.fixture
def tool():
    directory = tempfile.mkdtemp(prefix="merlon-run-", dir="/tmp")
    os.chmod(directory, 0o711)
    environment = {**os.environ, "MERLON_VAR": f"{directory}/var", "MLN_BUILD": str(BUILD)}

    def run(*verb):
        return subprocess.run([ROOT / "tools/run", *verb], env=environment, capture_output=True, text=True, timeout=400, check=False)

    yield run
    run("stop")
    shutil.rmtree(directory)


def test_from_nothing_to_a_score_and_back(tool):
    assert tool("status").returncode == 3
    first = tool()
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"Secure score of this machine: \d+ % \(\d+\.\d\d of [1-9]\d* points\)", first.stdout)
    assert len(re.findall(r"^ +\(?\+\d+\.\d\d\)?  (?:Critical|High|Medium|Low)", first.stdout, re.M)) == 3
    address = re.search(r"https://127\.0\.0\.1:\d+", first.stdout).group()
    password = re.search(r"Password:  (\S+)", first.stdout).group(1)
    again = tool()
    assert again.returncode == 0 and "runs already" in again.stdout and address in again.stdout
    status = tool("status")
    assert status.returncode == 0 and "Secure score" in status.stdout
    assert tool("stop").stdout.startswith("Stopped merlon-agent and merlond")
    assert "Nothing was running" in tool("stop").stdout
    later = tool("start")
    assert later.returncode == 0 and address in later.stdout and password in later.stdout
    assert tool("fly").returncode == 2
