"""merlon without a server: its command line, help, completion and manual, assess, policy test."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, MERLOND, ROOT
from machines import GOOD_SSHD, MACHINES, TYPE
from merlon import MERLON, Terminal, environment, merlon

pytestmark = pytest.mark.fast
PROGRAMS = [MERLON, MERLOND, BUILD / "merlon-agent"]
OFFLINE = ["policy test", "policy functions", "assess", "completion", "man", "version", "logout"]


def commands(program=MERLON):
    """Those that help lists, as lists of words."""
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True, env=environment()).stdout
    lines = text.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    lines = [line for line in lines if re.match(r"  \S", line)]
    lefts = [line.strip().split("  ")[0].split(" ") for line in lines]
    return [[word for word in left if re.fullmatch("[a-z-]+", word)] for left in lefts]


def machine(name="web-1", **more):
    return {"id": f"/subscriptions/s/resourceGroups/g/providers/{TYPE}/{name}", "type": TYPE, "name": name, **MACHINES[name], **more}


# ---- the command line ----

def test_every_command_has_help():
    listed = [" ".join(words) for words in commands()]
    assert len(listed) > 20 and "policy test" in listed and "assess" in listed
    for words in commands():
        for line in ([*words, "--help"], [*words, "-h"], ["help", *words]):
            done = merlon(*line)
            assert done.returncode == 0 and done.stderr == "" and f"Usage: merlon {' '.join(words)}" in done.stdout
            assert ("--server" in done.stdout) == (" ".join(words) not in OFFLINE)
            assert all(len(text) <= 120 for text in done.stdout.splitlines())


@pytest.mark.parametrize("line, says", [
    ([], "a command is expected"),
    (["nonsense"], "there is no command 'nonsense'"),
    (["nonsense", "--help"], "there is no command 'nonsense'"),
    (["scroe"], "did you mean 'score'"),
    (["policy"], "'policy' needs a second word"),
    (["policy", "tset", "x"], "did you mean 'policy test'"),
    (["policy", "test"], "something is missing: merlon policy test DIR"),
    (["score", "--what"], "there is no option --what"),
    (["score", "--plan", "101"], "--plan takes a whole number from 0 to 100"),
    (["score", "--as-of", "yesterday"], "--as-of takes a time"),
    (["score", "--explain", "--plan", "80"], "--explain and --plan do not go together"),
    (["assess", "--severity", "Extreme", "x"], "--severity must be one of: Low Medium High Critical"),
    (["completion", "fish"], "'fish' is none of: bash zsh"),
    (["man", "--json"], "'merlon man' takes no --json"),
    (["login"], "one of --user, --service-principal and --device-code"),
    (["login", "--user", "a", "--device-code"], "one of --user"),
    (["login", "--user", "a", "--server", "http://x"], "must begin with https://"),
    (["login", "--user", "a"], "which server?"),
    (["login", "--user", "a", "--server", "https://x"], "no terminal to ask for the password on"),
    (["resource", "show", "web-1"], "a resource's id begins with /subscriptions/"),
    (["token", "create", "--hours", "0"], "--hours takes a whole number from 1"),
    (["log", "list", "--from", "2026"], "--from takes a time"),
])
def test_a_wrong_command_line_ends_with_2_and_says_why(line, says):
    done = merlon(*line)
    assert done.returncode == 2 and done.stdout == "" and says in done.stderr
    assert done.stderr.startswith("merlon: ") and done.stderr.count("\n") == 1


def test_without_a_sign_in_nothing_is_asked_of_a_server(tmp_path):
    env = environment(MERLON_CONFIG_DIR=str(tmp_path))
    for words in commands():
        if " ".join(words) in OFFLINE + ["login", "token create"]:
            continue
        line = [*words, *(["/subscriptions/x"] if words == ["resource", "show"] else
                          ["x"] if words[-1] in ("show", "remove", "revoke", "query") else [])]
        done = merlon(*line, env=env)
        assert done.returncode == 4 and "nobody is signed in" in done.stderr, done
    done = merlon("logout", env=env)
    assert done.returncode == 3 and "nobody was signed in" in done.stderr
    (tmp_path / "session.json").write_text("{broken")
    done = merlon("status", env=env)
    assert done.returncode == 1 and "sign in again with 'merlon login'" in done.stderr


def test_orders_to_the_terminal_do_not_get_through():
    done = merlon("\x1b[31mred\x9b")
    assert done.returncode == 2 and "\x1b" not in done.stderr and "[31mred" in done.stderr
    evil = {**machine(), "id": f"/s/providers/{TYPE}/\x1b]0;owned\x07\u009b31m", "name": "x"}
    for options in ([], ["--all"], ["--json"]):
        shown = merlon("assess", "-", *options, stdin=json.dumps(evil)).stdout
        assert "owned" in shown and not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", shown)


def test_what_cannot_be_written_is_a_failure():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([MERLON, "--help"], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False)
    assert done.returncode == 1 and b"the output could not be written" in done.stderr


def test_a_reader_that_goes_away_ends_it_quietly():
    process = subprocess.Popen([MERLON, "policy", "functions"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
                               bufsize=0)
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGPIPE and said == b""


def test_version():
    version = merlon("version").stdout
    assert re.fullmatch(r"merlon \d+\.\d+\.\d+\n", version) and merlon("--version").stdout == version
    assert json.loads(merlon("version", "--json").stdout)["version"] in version


# ---- terminals ----

def test_colour_is_for_terminals_that_want_it(tmp_path):
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(machine()))
    terminal = environment(TERM="xterm")
    assert "\x1b[31mHigh\x1b[0m" in Terminal("assess", path, columns=200, env=terminal).end()[1]
    assert "\x1b[" not in Terminal("assess", path, "--no-color", env=terminal).end()[1]
    assert "\x1b[" not in Terminal("assess", path, env={**terminal, "NO_COLOR": "1"}).end()[1]
    assert "\x1b[" not in Terminal("assess", path, env={**terminal, "TERM": "dumb"}).end()[1]
    assert "\x1b[31mHigh" in Terminal("assess", path, env={**terminal, "NO_COLOR": ""}).end()[1]
    assert "\x1b[" not in merlon("assess", path, env=terminal).stdout


@pytest.mark.parametrize("columns", [200, 100, 72])
def test_tables_fit_the_terminal(tmp_path, columns):
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(machine(id=f"/s/providers/{TYPE}/Stra\u00dfe-\u6771\u4eac-" + "x" * 30)))
    status, shown = Terminal("assess", path, "--all", "--no-color", columns=columns).end()
    lines = shown.replace("\r", "").split("\n\n")[0].splitlines()
    wide = [len(line) + len(re.findall("[\u3000-\u9fff]", line)) for line in lines]
    assert status == 1 and len(lines) > 50 and max(wide) <= columns
    assert len(set(line.index("linux-") for line in lines[1:] if "linux-" in line)) == 1  # columns begin below each other


def test_a_password_is_not_shown_and_the_terminal_is_left_as_it_was(tmp_path):
    env = environment(MERLON_CONFIG_DIR=str(tmp_path), TERM="xterm")
    line = ["login", "--user", "a", "--server", "https://127.0.0.1:1"]
    terminal = Terminal(*line, env=env)
    terminal.read("Password: ")
    assert not terminal.echoes()
    terminal.write("hunter2\n")
    shown = terminal.read("\r\nmerlon:")
    assert terminal.echoes() and "hunter2" not in shown
    assert terminal.end()[0] == 5
    terminal = Terminal(*line, env=env)
    terminal.read("Password: ")
    terminal.write("\x03")
    assert terminal.process.wait(60) == -signal.SIGINT and terminal.echoes()


# ---- completion and manual ----

def complete(program, line, directory):
    """What bash offers for a line whose last word is being typed."""
    words = line.split(" ")
    script = (f'eval "$({program} completion bash)"\n'
              f'COMP_WORDS=({" ".join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n'
              f'"$(complete -p {program.name} | sed -E \'s/.*-F ([^ ]+) .*/\\1/\')" {program.name}\n'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-u", "-c", script], capture_output=True, text=True, cwd=directory, env=environment(), check=False)
    assert done.returncode == 0 and done.stderr == "", done
    return sorted(set(done.stdout.split("\n")) - {""})


@pytest.mark.parametrize("line, offered", [
    ("merlon sc", ["score"]),
    ("merlon pol", ["policies", "policy"]),
    ("merlon policy ", ["functions", "show", "test"]),
    ("merlon policy te", ["test"]),
    ("merlon policy test ", ["a directory"]),
    ("merlon policy test --js", ["--json"]),
    ("merlon assess ma", ["machines.json"]),
    ("merlon assess --severity H", ["High"]),
    ("merlon assess --severity = H", ["High"]),
    ("merlon assess --rules ", ["a directory"]),
    ("merlon score --pl", ["--plan"]),
    ("merlon score --plan ", []),
    ("merlon completion ", ["bash", "zsh"]),
    ("merlon login --secret-file mac", ["machines.json"]),
    ("merlon nonsense ", []),
    ("merlond re", ["reset-password"]),
    ("merlond token --us", ["--user", "--uses"]),
    ("merlond run --content ", ["a directory"]),
    ("merlon-agent un", ["unenroll"]),
    ("merlon-agent enroll --ca ", ["a directory", "machines.json"]),
])
def test_bash_completes(tmp_path, line, offered):
    (tmp_path / "machines.json").touch()
    (tmp_path / "a directory").mkdir()
    program = next(one for one in PROGRAMS if one.name == line.split(" ")[0])
    assert complete(program, line, tmp_path) == sorted(offered)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_shells_take_the_completion(program):
    for shell in ("bash", "zsh"):
        text = subprocess.run([program, "completion", shell], capture_output=True, check=True, env=environment()).stdout
        assert text
        if shutil.which(shell):
            done = subprocess.run([shell, "-n"], input=text, capture_output=True, check=False)
            assert done.returncode == 0 and done.stderr == b""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_manual_is_sound(program):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    text = subprocess.run([program, "man"], capture_output=True, check=True, env=environment()).stdout
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-rLL=100n"], input=text, capture_output=True, check=True)
    assert done.stderr == b""
    shown = re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout.decode())
    for words in commands(program):
        assert f"{program.name} {' '.join(words)}" in shown
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS", "FILES", "SEE ALSO"):
        assert re.search(rf"^{heading}$", shown, re.MULTILINE)


# ---- assess ----

def assess(text, *options, status=None):
    done = merlon("assess", "-", "--json", *options, stdin=text if isinstance(text, str) else json.dumps(text))
    assert done.stderr == "" and done.returncode in ([0, 1] if status is None else [status])
    return json.loads(done.stdout)


def test_a_resource_may_come_in_many_forms():
    one, other = machine("web-1"), machine("bastion-1")
    both = assess([one, other])
    assert both["resources"] == 2 and both["unhealthy"] > 0 and 0 < both["percentage"] < 1
    lines = json.dumps(one) + "\n\n" + json.dumps([other]) + "\r\n"
    for text in ({"value": [one, other]}, lines, json.dumps([one, other], indent=2)):
        assert assess(text) == both
    alone = assess(one)
    assert alone["resources"] == 1 and {f["resourceId"] for f in alone["findings"]} == {one["id"]}
    assert assess({**one, "value": []})["unhealthy"] == alone["unhealthy"]  # a resource may have such a member
    finding = next(f for f in alone["findings"] if f["ruleId"] == "linux-ssh-root-login")
    assert finding["status"] == "Unhealthy" and finding["severity"] == "High" and "yes" in finding["description"]


def test_several_files_are_one_estate(tmp_path):
    for name in ("web-1", "bastion-1"):
        (tmp_path / name).write_text(json.dumps(machine(name)))
    done = merlon("assess", "--json", "web-1", "bastion-1", cwd=tmp_path)
    assert json.loads(done.stdout) == assess([machine("web-1"), machine("bastion-1")])
    done = merlon("assess", "web-1", "-", "bastion-1", cwd=tmp_path, stdin=json.dumps(machine("db-1")))
    assert done.stdout.splitlines()[-1].startswith("3 resources, ")


@pytest.mark.parametrize("text, resources", [("[]", 0), ('{"value": []}', 0), ('{"type": "Contoso/things", "id": "/x"}', 1),
                                             ('{"type": "a/b"}\n{"type": "a/b"}', 2)])
def test_nothing_to_judge_is_said(text, resources):
    report = assess(text, status=0)
    assert (report["findings"], report["resources"], report["resourcesWithoutRules"]) == ([], resources, resources)
    shown = merlon("assess", "-", stdin=text).stdout.splitlines()
    plural = "" if resources == 1 else "s"
    assert shown[0] == f"{resources} resource{plural}, 0 findings: 0 healthy, 0 unhealthy, 0 not applicable"
    assert shown[1:] == ([f"{resources} resource{plural} of a type that no rule is for"] if resources else [])


@pytest.mark.parametrize("text, says", [
    ("", "standard input: nothing is in it"),
    (" \n\t", "standard input: nothing is in it"),
    ('{"type":', "standard input: JSON at byte 8: "),
    ('{"type": "a"}\n{"type":\n', "standard input: line 2: JSON at byte 8: "),
    ('{"type": "a"} x', "standard input: JSON at byte 14: "),
    ("5", "standard input: resource 1 is no object but: integer"),
    ('[{"type": "a"}, "b"]', "standard input: resource 2 is no object but: string"),
    ('{"id": "/x/y"}', "standard input: resource 1 ('/x/y') has no type"),
    ('{"value": [{"type": "a"}, {"name": "n"}]}', "standard input: resource 2 ('n') has no type"),
])
def test_what_cannot_be_judged_is_named(text, says):
    done = merlon("assess", "-", stdin=text)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith(f"merlon: {says}"), done.stderr


def test_files_that_cannot_be_read(tmp_path):
    done = merlon("assess", "none", cwd=tmp_path)
    assert done.returncode == 3 and done.stderr == "merlon: none: No such file or directory\n"
    assert merlon("assess", tmp_path).returncode == 1
    done = merlon("assess", "--rules", "none", "-", cwd=tmp_path, stdin="[]")
    assert done.returncode == 3 and "none" in done.stderr
    done = merlon("assess", "-", cwd=tmp_path, stdin="[]", env=environment(MERLON_CONTENT="/nonexistent"))
    if not os.path.isdir("/usr/local/share/merlon/content"):
        assert done.returncode == 3 and "say where with --rules DIR" in done.stderr


def test_the_status_follows_the_severity_asked_for():
    good = machine("bastion-1", properties={"facts": {"sshd": {"installed": True, "effective": {**GOOD_SSHD, "maxauthtries": "6"}}}})
    everything = assess(good, status=1)
    assert any(f["ruleId"] == "linux-ssh-max-auth-tries" for f in everything["findings"])
    assert all(f["severity"] == "Critical" for f in assess(good, "--severity", "critical", status=0)["findings"])
    shown = merlon("assess", "-", "--all", stdin=json.dumps(good)).stdout
    assert "Healthy" in shown and "NotApplicable" in shown
    rows = shown.splitlines()[1:-2]
    assert len(rows) == sum(assess(good)[member] for member in ("healthy", "unhealthy", "notApplicable"))


def test_a_pipe_from_the_agent_is_judged():
    agent = BUILD / "merlon-agent"
    resource = subprocess.run([agent, "resource"], capture_output=True, text=True, check=True, timeout=120).stdout
    done = merlon("assess", "-", stdin=resource)
    assert done.returncode in (0, 1) and re.search(r"^1 resource, \d+ findings: .*; secure score \d+\.\d %$", done.stdout, re.MULTILINE)


# ---- policy test ----

RULE = """id: {id}
title: A thing should be on
description: Because.
remediation: {{text: Turn it on.}}
severity: Low
category: Compute
effort: Low
userImpact: Low
threats: [accountBreach]
tactics: [Initial Access]
controls: [remediate-security-configurations]
resourceType: Contoso/things
healthy: {healthy}
examples:
  - name: "on"
    expect: Healthy
    resource: {{properties: {{on: true}}}}
  - name: "off"
    expect: {expect}
    resource: {{properties: {{on: false}}}}
"""


def write_rule(directory, name, healthy="resource.properties.on == true", expect="Unhealthy"):
    (directory / f"{name}.yaml").write_text(RULE.format(id=name, healthy=healthy, expect=expect))


def policy_test(directory):
    """The lines it prints, its status, and its report as JSON."""
    done, report = merlon("policy", "test", directory), merlon("policy", "test", directory, "--json")
    assert done.stderr == report.stderr == "" and done.returncode == report.returncode
    return done.stdout.splitlines(), done.returncode, json.loads(report.stdout)


def test_good_rules(tmp_path):
    write_rule(tmp_path, "one")
    write_rule(tmp_path, "two")
    lines, status, report = policy_test(tmp_path)
    assert lines == ["2 rules, 4 examples: 0 errors, 0 examples failed"] and status == 0
    assert report["passed"] is True and report["rules"] == 2 and report["examples"] == 4 and report["errors"] == []
    shipped, status, _ = policy_test(ROOT / "content")
    assert status == 0 and re.fullmatch(r"\d+ rules, \d+ examples: 0 errors, 0 examples failed", shipped[-1])


def test_broken_rules_are_named_by_file_line_and_column(tmp_path):
    write_rule(tmp_path, "good")
    write_rule(tmp_path, "grammar", healthy="resource.properties.on ==")
    (tmp_path / "yaml.yaml").write_text("id: yaml\ntitle: [\n")
    (tmp_path / "member.yaml").write_text(RULE.format(id="member", healthy="resource.properties.on", expect="Unhealthy") + "colour: red\n")
    (tmp_path / "folded.yaml").write_text(RULE.format(id="folded", healthy=">-\n  resource.properties.on == true &&\n  resorce.on",
                                                      expect="Unhealthy"))
    lines, status, report = policy_test(tmp_path)
    assert status == 1 and report["passed"] is False
    places = {error["file"]: (error["line"], error["column"]) for error in report["errors"]}
    assert places == {"grammar.yaml": (13, 35), "member.yaml": (21, 1), "folded.yaml": (15, 3), "yaml.yaml": (3, 1)}
    for error in report["errors"]:
        place = f"{error['file']}:{error['line']}:{error['column']}: "
        assert any(line.startswith(place) and error["text"] in line for line in lines), (place, lines)
    assert lines[-1] == "1 rule, 2 examples: 4 errors, 0 examples failed"


def test_examples_that_are_not_judged_as_expected(tmp_path):
    write_rule(tmp_path, "wrong", healthy="resource.properties.on != null")
    lines, status, report = policy_test(tmp_path)
    assert status == 1 and lines[-1] == "1 rule, 2 examples: 0 errors, 1 example failed"
    failure = report["failures"][0]
    assert (failure["file"], failure["line"], failure["example"]) == ("wrong.yaml", 18, "off")
    assert (failure["expected"], failure["got"]) == ("Unhealthy", "Healthy")
    assert lines[0].startswith("wrong.yaml:18: wrong: example 'off': expected Unhealthy, got Healthy")


def test_a_directory_that_is_not_there():
    done = merlon("policy", "test", "/nonexistent")
    assert done.returncode == 3 and "/nonexistent" in done.stderr


def test_the_functions_of_rules_are_listed():
    functions = json.loads(merlon("policy", "functions", "--json").stdout)
    assert {"name", "signature", "doc"} == set(functions[0])
    plain = merlon("policy", "functions").stdout
    assert all(function["signature"] in plain for function in functions)
    assert merlon("policy", "functions", "--markdown").stdout.startswith("| function | gives |")
