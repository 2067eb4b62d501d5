"""Packages of npm for the tests: what sdk/package-lock.json names, put below the build directory."""

import hashlib
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import BUILD

HERE = pathlib.Path(__file__).parent / "sdk"
FILES = ("package.json", "package-lock.json", ".npmrc")


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
