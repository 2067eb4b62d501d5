"""The agent reads three trees, the rules for Linux judge them.

On the good tree every rule is content, on the bad one every rule finds something, except for those named below: with the
reason, and checked to be no more than these.
"""

import json
import os
import pathlib
import subprocess

import pytest

import roots

SOURCE = pathlib.Path(os.environ.get("MLN_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MLN_BUILD", SOURCE / "build"))
POLICIES = SOURCE / "content/policies/linux"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of several owners")

NOT_IN_A_TREE = {"not collected: " + what for what in [
    "kernel (only the running machine can tell)", "mounts (only the running machine can tell)",
    "listeners (only the running machine can tell)", "interfaces"]}

# Needs a member that only a running machine has.
LIVE_RULES = {
    "linux-audit-running", "linux-endpoint-running", "linux-logging-running", "linux-time-synchronised",
    "linux-mac-apparmor-enforcing", "linux-mac-apparmor-profiles",
}

GOOD_NOT_APPLICABLE = {
    "linux-cron-at-allow": "at is not installed",
    "linux-encryption-swap": "there is no swap",
    "linux-files-docker-socket": "Docker is not installed",
    "linux-firewall-forward-deny": "the kernel does not forward",
    "linux-mac-active": "AppArmor is installed; whether the kernel runs it only the kernel knows",
    "linux-mac-selinux-enforcing": "SELinux is not used",
    "linux-mac-selinux-policy": "SELinux is not used",
}

# Judging others on the bad tree needs what these ask for. True: they find something on the bare tree.
BAD_BUT_CONTENT = {
    "linux-audit-installed": True,
    "linux-firewall-active": True,
    "linux-integrity-installed": True,
    "linux-passwords-lockout": True,
    "linux-passwords-quality-module": True,
    "linux-sudo-installed": True,
    "linux-logging-persistent": True,
    "linux-firewall-persistent": False,  # rules without an enabled unit exist in a running kernel only
    "linux-mac-active": True,
}

BAD_NOT_APPLICABLE = {
    "linux-audit-rules-sudo-log": "sudo has no log that could be watched",
    "linux-encryption-root": "a tree without crypttab does not say what lies below",
    "linux-encryption-swap": "there is no swap",
}


def assess(directory, made_by):
    """Status, cause and text of every rule on a tree, by rule."""
    made_by(directory)
    resource = directory.parent / (directory.name + ".json")
    with open(resource, "wb") as out:
        subprocess.run([BUILD / "merlon-agent", "resource", "--root", directory, "--name", directory.name], stdout=out, check=True,
                       timeout=120)
    done = subprocess.run([BUILD / "src/merlon/merlon", "assess", "--json", "--all", "--rules", SOURCE / "content", resource],
                          stdout=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode in (0, 1), "merlon assess failed"
    findings = json.loads(done.stdout)["findings"]
    return {finding["ruleId"]: finding for finding in findings}


def tree(tmp_path_factory, name, made_by):
    directory = tmp_path_factory.mktemp("machine") / name
    directory.mkdir()
    return assess(directory, made_by)


@pytest.fixture(scope="module", name="good")
def good_findings(tmp_path_factory):
    return tree(tmp_path_factory, "good", roots.good)


@pytest.fixture(scope="module", name="bad")
def bad_findings(tmp_path_factory):
    return tree(tmp_path_factory, "bad", roots.bad)


@pytest.fixture(scope="module", name="bare")
def bare_findings(tmp_path_factory):
    return tree(tmp_path_factory, "bare", roots.bare)


def with_status(findings, status):
    return {rule for rule, finding in findings.items() if finding["status"] == status}


def told_by_the_tree(findings):
    """The rules that are not left open for want of a running machine."""
    live = {rule for rule, finding in findings.items() if finding["cause"] == "DataNotCollected"}
    return set(findings) - live - LIVE_RULES


def test_every_rule_is_judged(good, bad):
    rules = {"linux-" + path.stem for path in POLICIES.glob("*/*.yaml")}
    assert set(good) == rules
    assert set(bad) == rules


def test_no_rule_fails_on_a_machine(good, bad, bare):
    for findings in (good, bad, bare):
        failed = {rule: finding["description"] for rule, finding in findings.items() if finding["cause"] == "EvaluationFailed"}
        assert not failed


def test_data_is_missing_for_want_of_a_running_machine_only(good, bad):
    for findings in (good, bad):
        reasons = {finding["description"] for finding in findings.values() if finding["cause"] == "DataNotCollected"}
        assert reasons == NOT_IN_A_TREE


def test_the_good_machine_is_healthy(good):
    found = {rule: good[rule]["description"] for rule in with_status(good, "Unhealthy")}
    assert not found
    assert told_by_the_tree(good) & with_status(good, "NotApplicable") == set(GOOD_NOT_APPLICABLE)


def test_the_bad_machine_is_unhealthy_everywhere(bad):
    assert with_status(bad, "Healthy") == set(BAD_BUT_CONTENT)
    assert told_by_the_tree(bad) & with_status(bad, "NotApplicable") == set(BAD_NOT_APPLICABLE)


def test_the_bare_machine_lacks_what_the_bad_one_has(bare):
    lacking = {rule for rule, on_bare in BAD_BUT_CONTENT.items() if on_bare}
    assert lacking <= with_status(bare, "Unhealthy")


def test_what_was_found_is_said(bad):
    silent = {rule for rule in with_status(bad, "Unhealthy") if not bad[rule]["description"]}
    assert not silent


@pytest.mark.parametrize("rule, text", [
    ("linux-accounts-uid-zero", "toor with user id 0"),
    ("linux-accounts-empty-passwords", "guest"),
    ("linux-updates-security-pending", "1 security update is pending: openssl"),
    ("linux-updates-repositories-signed", "not verified: http://mirror.example/debian"),
    ("linux-files-suid", "/usr/local/bin/rootme (4755)"),
    ("linux-sudo-nopasswd", "ben in /etc/sudoers"),
    ("linux-ssh-root-login", "PermitRootLogin is yes"),
    ("linux-kernel-aslr", "kernel.randomize_va_space is 0"),
])
def test_findings_name_the_culprit(bad, rule, text):
    assert text in bad[rule]["description"]
