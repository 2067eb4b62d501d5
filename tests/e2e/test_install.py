"""make install: that what it puts in place works from there."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, PASSWORD, ROOT
from merlon import environment

UNITS = {"merlond.service": "merlond", "merlon-agent.service": "merlon-agent"}


def run(*command, **options):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The root below which everything was installed, and the prefix."""
    root = tmp_path_factory.mktemp("root")
    if BUILD == ROOT / "build":
        done = run("make", "install", cwd=ROOT, env={**os.environ, "DESTDIR": str(root)})
    else:
        done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
    assert done.returncode == 0, done.stderr
    return root / str(next(root.rglob("bin/merlon")).parents[1].relative_to(root))


def test_programs_run_from_there(installed):
    for program in ("bin/merlon", "sbin/merlond", "sbin/merlon-agent"):
        done = run(installed / program, "version", env=environment())
        assert done.returncode == 0 and done.stdout.startswith(program.split("/")[1] + " ")


def test_the_installed_rules_are_sound(installed, tmp_path):
    done = run(installed / "bin/merlon", "policy", "test", installed / "share/merlon/content", cwd=tmp_path, env=environment())
    assert done.returncode == 0 and re.search(r"^\d{3,} rules, .*: 0 errors, 0 examples failed$", done.stdout, re.MULTILINE)


def test_the_installed_server_starts(installed, tmp_path):
    (tmp_path / "password").write_text(PASSWORD)
    done = run(installed / "sbin/merlond", "init", "--state", tmp_path / "state", "--password-file", tmp_path / "password")
    assert done.returncode == 0, done.stderr
    with subprocess.Popen([installed / "sbin/merlond", "run", "--state", tmp_path / "state", "--listen", "127.0.0.1:0", "--content",
                           installed / "share/merlon/content"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout.readline().startswith(b"ready https://127.0.0.1:")
        server.terminate()
        server.communicate(timeout=60)
        assert server.returncode == 0


def test_manuals_and_completion_are_there(installed):
    for page in ("man1/merlon.1", "man8/merlond.8", "man8/merlon-agent.8"):
        assert (installed / "share/man" / page).read_text().startswith(".TH MERLON")
    for program in ("merlon", "merlond", "merlon-agent"):
        text = (installed / "share/bash-completion/completions" / program).read_text()
        assert f"complete -F _{program} {program}\n" in text
        assert (installed / "share/zsh/site-functions" / f"_{program}").read_text().startswith(f"#compdef {program}\n")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_units(installed, tmp_path, unit):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = (installed / "lib/systemd/system" / unit).read_text()
    program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE).group(1)
    assert program.endswith(f"/sbin/{UNITS[unit]}") and "dir@" not in text
    (tmp_path / unit).write_text(text.replace(program, str(installed / "sbin" / UNITS[unit])))
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / unit)
    assert done.returncode == 0 and unit not in done.stderr, done.stderr
    safety = run("systemd-analyze", "security", "--offline=true", "--threshold=75", tmp_path / unit)
    assert safety.returncode == 0, safety.stdout


def test_systemd_makes_the_accounts(installed):
    if not shutil.which("systemd-sysusers"):
        pytest.skip("systemd-sysusers is not installed")
    root = pathlib.Path(str(installed).removesuffix("/usr/local"))
    (root / "etc").mkdir(exist_ok=True)
    done = run("systemd-sysusers", f"--root={root}", installed / "lib/sysusers.d/merlon.conf")
    assert done.returncode == 0, done.stderr
    accounts = (root / "etc/passwd").read_text()
    assert re.search(r"^merlon:.*:/var/lib/merlon:", accounts, re.MULTILINE)
    assert re.search(r"^merlon-agent:.*:/var/lib/merlon-agent:", accounts, re.MULTILINE)
