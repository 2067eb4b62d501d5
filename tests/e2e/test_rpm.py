"""The agent on a machine of rpm and dnf: a root with a database, a configuration and two repositories, all made by the real programs.

The agent enters it by chroot in a mount namespace of its own, in which the programs of this machine are seen: there it is on
a live machine and runs what it would run on any. The rules for updates then judge what it reports.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("MLN_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MLN_BUILD", SOURCE / "build"))
TIMEOUT_S = 120
PROGRAMS = ["rpm", "rpmbuild", "dnf", "createrepo_c", "modifyrepo_c", "unshare"]
LACKING = [program for program in PROGRAMS if not shutil.which(program)]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can enter another root"),
    pytest.mark.skipif(bool(LACKING), reason="not installed: " + ", ".join(LACKING)),
]

LONG = "a-very-long-package-name-that-fills-more-than-a-column-of-text"
BASE = [  # name, epoch, version, release, further lines of the spec
    ("alpha", 0, "1.0", "1.el9", ""),
    ("beta", 2, "1.0~rc1", "1.el9", "%package tools\nSummary: more of beta\n%description tools\n-\n%files tools\n"),
    ("gamma", 0, "1.0^git1", "3.el9", ""),
    ("kernel", 0, "5.14.0", "362.el9", "Provides: installonlypkg(kernel)\n"),
    ("kernel", 0, "5.14.0", "427.el9", "Provides: installonlypkg(kernel)\n"),
    (LONG, 0, "1.0.0", "1.el9", ""),
    ("made-release", 0, "9", "1", "Provides: system-release = 9\nProvides: system-release(releasever) = 9\n"),
]
UPDATES = [
    ("alpha", 0, "1.1", "1.el9", ""),
    ("beta", 2, "1.0", "1.el9", "%package tools\nSummary: more of beta\n%description tools\n-\n%files tools\n"),
    ("beta", 2, "1.0.1", "1.el9", ""),
    ("gamma", 0, "1.0^git2", "3.el9", ""),
    (LONG, 0, "1.0.1", "1.el9", ""),
    ("newcomer", 0, "2", "1", ""),
]
ADVISORIES = [("security", "beta", 2, "1.0", "1.el9"), ("bugfix", "alpha", 0, "1.1", "1.el9")]
WAITING = {"alpha": "1.1-1.el9", "beta": "2:1.0.1-1.el9", "beta-tools": "2:1.0-1.el9", "gamma": "1.0^git2-3.el9", LONG: "1.0.1-1.el9"}


def run(*command, **more):
    return subprocess.run(command, check=True, timeout=TIMEOUT_S, capture_output=True, text=True, **more)


def build(directory, repository, packages):
    """Builds packages of nothing into a repository."""
    for name, epoch, version, release, more in packages:
        spec = directory / "made.spec"
        head = more if more.startswith("Provides") else ""
        tail = "" if head else more
        spec.write_text(f"Name: {name}\nEpoch: {epoch}\nVersion: {version}\nRelease: {release}\nSummary: made for a test\n"
                        f"License: none\nBuildArch: noarch\n{head}%description\n-\n%files\n{tail}", encoding="utf-8")
        run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {directory}/build", "--define", f"_rpmdir {repository}", spec)
    run("createrepo_c", "-q", repository)


def advise(directory, repository):
    updates = "".join(
        f'<update from="a@b.example" status="final" type="{kind}" version="1"><id>TEST-{n}</id><title>{name}</title>'
        f'<severity>Important</severity><issued date="2026-01-02 03:04:05"/><description>-</description><references/><pkglist>'
        f'<collection short="t"><name>t</name><package name="{name}" epoch="{epoch}" version="{version}" release="{release}" '
        f'arch="noarch" src="{name}.src.rpm"><filename>{name}-{version}-{release}.noarch.rpm</filename></package></collection>'
        f'</pkglist></update>' for n, (kind, name, epoch, version, release) in enumerate(ADVISORIES))
    path = directory / "updateinfo.xml"
    path.write_text(f'<?xml version="1.0"?><updates>{updates}</updates>', encoding="utf-8")
    run("modifyrepo_c", path, repository / "repodata")


class Machine:
    """A root with what rpm and dnf need of their own; everything else is this machine's."""

    def __init__(self, directory):
        self.root = directory / "root"
        for path in ["etc/rpm", "etc/dnf", "etc/yum.repos.d", "var/lib/rpm", "var/cache/dnf", "usr", "proc", "dev", "build", "repos"]:
            (self.root / path).mkdir(parents=True)
        for path in ["tmp", "var/tmp"]:
            (self.root / path).mkdir()
            (self.root / path).chmod(0o1777)
        for path in ["bin", "sbin", "lib", "lib64"]:
            if os.path.islink("/" + path):
                (self.root / path).symlink_to(os.readlink("/" + path))
        for path in ["passwd", "group"]:
            shutil.copy("/etc/" + path, self.root / "etc" / path)
        self.write("etc/os-release", 'ID=rocky\nVERSION_ID="9.4"\n')
        self.write("etc/rpm/macros", "%_dbpath /var/lib/rpm\n")
        self.write("etc/dnf/dnf.conf", "[main]\ngpgcheck=1\n")
        self.write("etc/yum.repos.d/made.repo", "[base]\nname=base\nbaseurl=file:///repos/base\n"
                   "[updates]\nname=updates\nbaseurl=file:///repos/updates\ngpgcheck=0\n"
                   "[off]\nname=off\nbaseurl=file:///repos/off\ngpgcheck=0\nenabled=0\n")
        self.repos = directory / "repos"

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def inside(self, *command):
        """Runs a command there, as on a machine of its own; gives what it printed."""
        script = ('root=$1 build=$2 repos=$3; shift 3; for at in usr proc dev; do mount --rbind /$at "$root/$at"; done; '
                  'mount --bind "$build" "$root/build"; mount --bind "$repos" "$root/repos"; exec chroot "$root" "$@"')
        return run("unshare", "--mount", "sh", "-ec", script, "sh", self.root, BUILD, self.repos, *command).stdout

    def packages(self):
        return json.loads(self.inside("/build/merlon-agent", "facts", "--section", "packages"))

    def forget(self):
        """Empties dnf's cache."""
        shutil.rmtree(self.root / "var/cache/dnf")
        (self.root / "var/cache/dnf").mkdir()

    def errors(self):
        return json.loads(self.inside("/build/merlon-agent", "facts"))["errors"]


@pytest.fixture(scope="module", name="machine")
def machine_of_rpm(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rpm")
    build(directory, directory / "repos/base", BASE)
    build(directory, directory / "repos/updates", UPDATES)
    advise(directory, directory / "repos/updates")
    made = Machine(directory)
    rpms = [f"/repos/base/noarch/{path.name}" for path in (directory / "repos/base/noarch").iterdir()]
    made.inside("/usr/bin/rpm", "-i", "--nosignature", *rpms)
    return made


@pytest.fixture(scope="module", name="fresh")
def fresh_machine(machine):
    machine.inside("/usr/bin/dnf", "-q", "makecache")
    return machine


def test_without_a_cache_the_updates_are_not_known(machine):
    machine.forget()
    packages = machine.packages()
    assert packages["manager"] == "rpm"
    assert packages["updatesKnown"] is False
    assert packages["updates"] == {}
    assert "updatesCheckedAt" not in packages
    assert "no cache for 'base'" in machine.errors()["packages.updates"]


def test_what_is_installed(fresh):
    assert fresh.packages()["installed"] == {
        "alpha": {"version": "1.0-1.el9", "arch": "noarch", "source": "alpha"},
        "beta": {"version": "2:1.0~rc1-1.el9", "arch": "noarch", "source": "beta"},
        "beta-tools": {"version": "2:1.0~rc1-1.el9", "arch": "noarch", "source": "beta"},
        "gamma": {"version": "1.0^git1-3.el9", "arch": "noarch", "source": "gamma"},
        "kernel": {"version": "5.14.0-427.el9", "arch": "noarch", "source": "kernel"},
        LONG: {"version": "1.0.0-1.el9", "arch": "noarch", "source": LONG},
        "made-release": {"version": "9-1", "arch": "noarch", "source": "made-release"},
    }


def test_which_updates_wait_and_which_for_security(fresh):
    packages = fresh.packages()
    assert packages["updatesKnown"] is True
    assert {name: update["candidate"] for name, update in packages["updates"].items()} == WAITING
    assert {name: update["current"] for name, update in packages["updates"].items()} == {
        name: packages["installed"][name]["version"] for name in WAITING}
    # the advisory is about a version between the installed one and the newest
    assert [name for name, update in packages["updates"].items() if update["security"]] == ["beta"]


def test_no_right_of_root_is_needed(fresh):
    said = fresh.inside("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/build/merlon-agent", "facts",
                        "--section", "packages")
    assert json.loads(said) == fresh.packages()


def test_when_the_repositories_were_asked(fresh):
    for path in (fresh.root / "var/cache/dnf").rglob("*"):
        os.utime(path, (1767225600, 1767225600))
    packages = fresh.packages()
    assert packages["updatesCheckedAt"].startswith("2026-01-01T00:00:00")


def test_repositories_without_signatures(fresh):
    packages = fresh.packages()
    assert packages["repositoriesUnsigned"] == ["updates (/etc/yum.repos.d/made.repo)"]


def test_automatic_updates(fresh):
    assert fresh.packages()["automaticUpdates"] is False
    timer = "etc/systemd/system/timers.target.wants/dnf-automatic.timer"
    fresh.write(timer, "[Timer]\n")
    assert fresh.packages()["automaticUpdates"] is False
    fresh.write("etc/dnf/automatic.conf", "[commands]\napply_updates = yes\n")
    assert fresh.packages()["automaticUpdates"] is True
    (fresh.root / timer).unlink()
    assert fresh.packages()["automaticUpdates"] is False
    fresh.write("etc/systemd/system/timers.target.wants/dnf-automatic-install.timer", "[Timer]\n")
    assert fresh.packages()["automaticUpdates"] is True


def test_a_tree_says_why_it_has_no_packages(fresh):
    facts = json.loads(run(BUILD / "merlon-agent", "facts", "--root", fresh.root).stdout)
    assert "packages" not in facts
    assert facts["errors"]["packages"] == "only rpm can read its database, and no program is run for a tree"


def test_the_rules_judge_it(fresh, tmp_path):
    resource = tmp_path / "machine.json"
    resource.write_text(fresh.inside("/build/merlon-agent", "resource", "--name", "made"), encoding="utf-8")
    done = subprocess.run([BUILD / "src/merlon/merlon", "assess", "--json", "--all", "--rules", SOURCE / "content", resource],
                          stdout=subprocess.PIPE, check=False, timeout=TIMEOUT_S)
    assert done.returncode in (0, 1), "merlon assess failed"
    found = {finding["ruleId"]: finding for finding in json.loads(done.stdout)["findings"]}
    security = found["linux-updates-security-pending"]
    assert security["status"] == "Unhealthy"
    assert security["description"] == "1 security update is pending: beta"
    assert found["linux-updates-pending"]["description"] == "4 updates are pending that are not known to be for security"
    assert found["linux-updates-checked"]["status"] == "Unhealthy"
    assert found["linux-updates-repositories-signed"]["description"] == "not verified: updates (/etc/yum.repos.d/made.repo)"
    assert found["linux-updates-supported-release"]["status"] == "Healthy"


def test_without_advisories_security_is_not_known(fresh):  # the last one: they do not come back
    run("modifyrepo_c", "--remove", "updateinfo", fresh.repos / "updates/repodata")
    fresh.forget()
    fresh.inside("/usr/bin/dnf", "-q", "makecache")
    packages, errors = fresh.packages(), fresh.errors()
    assert packages["updatesKnown"] is True
    assert all("security" not in update for update in packages["updates"].values())
    assert "security" in errors["packages.updates.security"]
