"""merlon and a server: signing in, and each command on an estate of three machines."""

import concurrent.futures
import datetime
import json
import re
import sqlite3
import time

import pytest

from conftest import ADMIN, PASSWORD, make_server
from machines import MACHINES, TYPE, machine_id, put_machines
from merlon import Client, Terminal, merlon
from pages import Browser


@pytest.fixture(scope="module")
def estate():
    """A server with three machines, its score having changed on the way."""
    server = make_server()
    server.empty_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    time.sleep(0.01)  # the next moment, in milliseconds
    put_machines(server)
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture
def client(estate, tmp_path):
    return Client(estate, tmp_path / "config").login()


def read_session(client):
    return json.loads(client.session_file.read_text())


def change_session(client, **changes):
    client.session_file.write_text(json.dumps({**read_session(client), **changes}))


# ---- signing in ----

def test_a_user_signs_in_and_out(estate, tmp_path):
    client = Client(estate, tmp_path / "config")
    done = client("login", "--user", ADMIN, "--secret-file", "-", "--json", stdin=PASSWORD + "\n")
    assert json.loads(done.stdout) == {"signedIn": ADMIN} and done.stderr == ""
    assert client.config.stat().st_mode & 0o777 == 0o700 and client.session_file.stat().st_mode & 0o777 == 0o600
    kept = client.session_file.read_text()
    assert PASSWORD not in kept and set(json.loads(kept)) == {"server", "ca", "name", "access_token", "expires", "refresh_token"}
    for name in ("MERLON_SERVER", "MERLON_CA"):
        del client.env[name]  # the sign-in has them
    assert f"Signed in as  {ADMIN}\n" in client("status").stdout
    assert client("logout").stdout == f"Signed out: {ADMIN}\n"
    assert not client.session_file.exists()
    assert "nobody is signed in" in client("status", status=4).stderr


def test_a_password_that_is_typed(estate, tmp_path):
    client = Client(estate, tmp_path / "config")
    terminal = Terminal("login", "--user", ADMIN, env=client.env)
    terminal.read("Password: ")
    terminal.write(PASSWORD + "\n")
    status, shown = terminal.end()
    assert status == 0 and PASSWORD not in shown and f"Signed in: {ADMIN}" in shown


def test_a_password_file_is_its_first_line(estate, tmp_path):
    client = Client(estate, tmp_path / "config")
    path = tmp_path / "password"
    for text in (PASSWORD, PASSWORD + "\n", PASSWORD + "\r\nanything else\n"):
        path.write_text(text)
        client("login", "--user", ADMIN, "--secret-file", path)
    for text, says, status in ((PASSWORD[:-1], "", 1), ("", "the password is empty", 1), ("\n", "the password is empty", 1),
                               ("x" * 5000, "", 1)):
        path.write_text(text)
        done = client("login", "--user", ADMIN, "--secret-file", path, status=status)
        assert says in done.stderr and "xxxx" not in done.stderr and PASSWORD[:-1] not in done.stderr
    assert client("login", "--user", ADMIN, "--secret-file", tmp_path / "none", status=3).stdout == ""


def test_a_service_principal_signs_in(estate, tmp_path):
    principal = "5e5e5e5e-0000-4000-8000-000000000001"
    answer = estate.call("PUT", f"/providers/Microsoft.Security/principals/{principal}", version="2026-11-01",
                         body={"properties": {"principalType": "ServicePrincipal", "appDisplayName": "robot"}})
    assert answer.status == 201
    secret = estate.call("POST", f"/providers/Microsoft.Security/principals/{principal}/addSecret",
                         version="2026-11-01").json["clientSecret"]
    estate.assign(principal, "Reader", estate.s)
    client = Client(estate, tmp_path / "config")
    client("login", "--service-principal", principal, "--secret-file", "-", stdin=secret)
    assert json.loads(client("machines", "--json").stdout)
    assert "(AuthorizationFailed)" in client("token", "create", status=4).stderr
    change_session(client, expires="2020-01-01T00:00:00Z")  # a service principal has nothing to renew with
    assert "has ended; 'merlon login' renews it" in client("status", status=4).stderr


@pytest.mark.parametrize("step, status", [("allow", 0), ("deny", 1)])
def test_a_device_code(estate, tmp_path, step, status):
    client = Client(estate, tmp_path / "config")
    terminal = Terminal("login", "--device-code", env={**client.env, "TERM": "dumb"}, columns=200)
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", terminal.read("\n")).group()
    browser = Browser(estate)
    browser.get("/adfs/oauth2/deviceauth")
    browser.sign_in()
    browser.submit(user_code=code, step="find")
    browser.submit(step=step)
    ended, shown = terminal.end()
    assert ended == status, shown
    if step == "allow":
        assert f"Signed in: {ADMIN}" in shown and f"Signed in as  {ADMIN}\n" in client("status").stdout
    else:
        assert not client.session_file.exists()


def test_the_authority_by_its_fingerprint(estate, client, tmp_path):
    hint = client("token", "create").stderr
    fingerprint = re.search("--ca-fingerprint ([0-9a-f]{64})", hint).group(1)
    other = Client(estate, tmp_path / "other")
    del other.env["MERLON_CA"]
    login = ["login", "--user", ADMIN, "--secret-file", "-", "--ca-fingerprint"]
    other(*login, fingerprint.upper(), stdin=PASSWORD)
    assert read_session(other)["ca"] in open(estate.ca, encoding="ascii").read()
    other("status")
    wrong = "0" * 64
    done = other(*login, wrong, stdin=PASSWORD, status=5)
    assert "no authority with the fingerprint" in done.stderr
    assert "not a SHA-256 digest" in other(*login, "abc", stdin=PASSWORD, status=1).stderr


def test_servers_that_are_not_to_be_had(estate, client, tmp_path):
    stranger = Client(estate, tmp_path / "stranger")
    del stranger.env["MERLON_CA"]  # the system does not know this authority
    stranger("login", "--user", ADMIN, "--secret-file", "-", stdin=PASSWORD, status=5)
    stranger.env["MERLON_SERVER"] = "https://127.0.0.1:1"
    stranger("login", "--user", ADMIN, "--secret-file", "-", stdin=PASSWORD, status=5)
    assert not stranger.session_file.exists()
    done = client("status", "--server", "https://elsewhere.example", status=4)
    assert "signed in to https://127.0.0.1" in done.stderr
    assert client("status", "--ca", tmp_path / "none", status=3).stderr.startswith("merlon: --ca: ")


def test_a_token_that_ends_is_renewed(client):
    before = read_session(client)
    change_session(client, expires=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30)))
    client("status")
    after = read_session(client)
    assert after["access_token"] != before["access_token"] and after["expires"] > before["expires"]
    change_session(client, expires="2020-01-01T00:00:00Z", refresh_token="garbage")
    assert "has ended; 'merlon login' renews it" in client("status", status=4).stderr


def test_many_at_once_renew_once(client):
    change_session(client, expires="2020-01-01T00:00:00Z")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in pool.map(lambda _: merlon("status", env=client.env), range(6)):
            assert done.returncode == 0, done


def test_a_token_that_the_server_does_not_know(client):
    change_session(client, access_token="garbage")
    done = client("status", status=4)
    assert "garbage" not in done.stderr


# ---- the score ----

def percent(text, label):
    return float(re.search(rf"^{label} +(\d+\.\d) %", text, re.MULTILINE).group(1))


def test_status(estate, client):
    shown = client("status").stdout
    assert f"Server        {estate.url}\n" in shown and f"Subscription  {estate.subscription}\n" in shown
    assert "Machines      3 enrolled, 3 connected\n" in shown and 0 < percent(shown, "Secure score") < 100
    report = json.loads(client("status", "--json").stdout)
    assert report["machines"] == report["machinesConnected"] == 3 and report["user"] == ADMIN


def test_the_score_and_its_controls(client):
    shown = client("score").stdout
    report = json.loads(client("score", "--json").stdout)
    score = report["secureScore"]["properties"]["score"]
    assert percent(shown, "Secure score") == pytest.approx(100 * score["percentage"], abs=0.06)
    assert f"({score['current']:.2f} of {score['max']} points)" in shown
    assert len(report["controls"]) == 15
    for control in report["controls"]:
        p = control["properties"]
        row = re.search(rf"^{re.escape(p['displayName'])} +(\S+) +(\d+) +(\d+) +(\d+) +(\d+)", shown, re.MULTILINE)
        assert (int(row[3]), int(row[4])) == (p["healthyResourceCount"], p["unhealthyResourceCount"])


def test_the_score_then(estate, client):
    then = json.loads(client("score", "--as-of", estate.empty_at, "--json").stdout)["secureScore"]["properties"]["score"]
    assert then["max"] == 0 and json.loads(client("score", "--json").stdout)["secureScore"]["properties"]["score"]["max"] > 0
    assert percent(client("score", "--as-of", estate.empty_at).stdout, "Secure score") == 0
    client("score", "--as-of", "2999-01-01T00:00:00Z", status=1)


def test_changes_of_the_score_have_causes(client):
    changes = json.loads(client("score", "--explain", "--json").stdout)
    assert len(changes) == 3
    for change in changes:
        moved = change["after"]["current"] - change["before"]["current"]
        assert sum(cause["points"] for cause in change["causes"]) == pytest.approx(moved, abs=1e-6)
    shown = client("score", "--explain").stdout
    assert len(re.findall(r"^2\S+Z  [\d.]+ -> [\d.]+ points \([+-][\d.]+\)$", shown, re.MULTILINE)) == 3
    assert re.search(r"^ +-?[\d.<>]+  resourceAdded  Restrict unauthorized network access  bastion-1$", shown, re.MULTILINE)
    one = client("score", "--explain", "--limit", "1", "--json").stdout
    assert json.loads(one) == changes[:1]


def test_what_if(estate, client):
    shown = client("score").stdout
    now = percent(shown, "Secure score")
    everywhere = client("score", "--what-if", "linux-ssh-root-login", "--what-if", "linux-ssh-password-authentication").stdout
    assert percent(everywhere, "Now") == now <= percent(everywhere, "After")
    here = f"linux-ssh-root-login@{machine_id(estate, 'web-1')}"
    report = json.loads(client("score", "--what-if", here, "--json").stdout)
    assert report["before"]["score"]["percentage"] <= report["after"]["score"]["percentage"]
    assert client("score").stdout == shown  # nothing has changed
    client("score", "--what-if", "no-such-rule", status=3)


def test_a_plan_reaches_its_goal_or_says_that_it_does_not(client):
    now = percent(client("score").stdout, "Secure score")
    goal = int(now) + 2
    shown = client("score", "--plan", goal).stdout
    assert percent(shown, "Then") >= goal and shown.startswith(" 1. ") and "out of reach" not in shown
    report = json.loads(client("score", "--plan", goal, "--json").stdout)
    assert len(report["fixes"]) == len(re.findall(r"^ *\d+\. ", shown, re.MULTILINE))
    shown = client("score", "--plan", "100").stdout
    assert (percent(shown, "Then") < 100) == ("100 % is out of reach" in shown)


# ---- recommendations, rules, inventory ----

def test_recommendations(client):
    report = json.loads(client("recommendations", "--json").stdout)
    shown = client("recommendations").stdout.splitlines()
    assert len(shown) == len(report) + 1 > 10
    gains = [r["properties"].get("potentialIncrease", 0) for r in report]
    assert gains == sorted(gains, reverse=True)
    everything = json.loads(client("recommendations", "--all", "--json").stdout)
    assert len(everything) > len(report)
    high = json.loads(client("recommendations", "--severity", "high", "--json").stdout)
    assert {r["properties"]["severity"] for r in high} <= {"High", "Critical"} and 0 < len(high) < len(report)


def test_one_recommendation(client):
    shown = client("recommendation", "show", "linux-ssh-root-login").stdout
    assert "High, rule linux-ssh-root-login\n" in shown and "How to fix it: " in shown
    assert re.search(r"^Unhealthy +\S+Z +web-1 +PermitRootLogin is yes$", shown, re.MULTILINE)
    assert re.search(r"^Healthy +\S+Z +bastion-1", shown, re.MULTILINE)
    report = json.loads(client("recommendation", "show", "linux-ssh-root-login", "--json").stdout)
    assert len(report["assessments"]) == 3
    by_key = client("recommendation", "show", report["recommendation"]["name"].upper()).stdout
    assert by_key == shown
    assert "there is no recommendation 'none'" in client("recommendation", "show", "none", status=3).stderr


def test_policies(client):
    rules = json.loads(client("policies", "--json").stdout)
    assert len(client("policies").stdout.splitlines()) == len(rules) + 1
    rule = json.loads(client("policy", "show", "linux-ssh-root-login").stdout)
    assert rule in rules and json.loads(client("policy", "show", rule["name"]).stdout) == rule
    client("policy", "show", "none", status=3)


def test_resources_and_machines(estate, client):
    assert {r["name"] for r in json.loads(client("resources", "--json").stdout)} == set(MACHINES)
    assert len(client("resources", "--type", TYPE).stdout.splitlines()) == 4
    assert json.loads(client("resources", "--type", "Contoso/none", "--json").stdout) == []
    assert client("resources", "--type", "Contoso/none").stdout == "Name  Type  Location  Id\n"
    assert "a type has no quotes" in client("resources", "--type", "a' or 'b", status=2).stderr
    shown = client("machines").stdout
    assert re.search(r"^web-1 +Connected .* Debian GNU/Linux 12", shown, re.MULTILINE)
    whole = json.loads(client("resource", "show", machine_id(estate, "web-1")).stdout)
    assert whole["properties"]["facts"] == MACHINES["web-1"]["properties"]["facts"]
    assert json.loads(client("machine", "show", "WEB-1").stdout)["id"] == whole["id"]
    assert json.loads(client("machine", "show", whole["id"]).stdout)["name"] == "web-1"
    client("machine", "show", "none", status=3)
    client("resource", "show", machine_id(estate, "none"), status=3)
    client("resource", "show", machine_id(estate, "a?b=c"), status=1)


def test_queries(client):
    query = "resources | project name, type | order by name asc"
    assert [line.lower().split() for line in client("query", query).stdout.splitlines()] == [
        ["name", "type"], *([name, TYPE.lower()] for name in sorted(MACHINES))]
    rows = json.loads(client("query", "-", "--json", stdin=query).stdout)
    assert [row["name"] for row in rows] == sorted(MACHINES)
    assert json.loads(client("query", "resources | where name == 'none'", "--json").stdout) == []
    counted = client("query", "resources | summarize n = count() by type").stdout
    assert "3" in counted.splitlines()[1]
    nested = client("query", "resources | project properties.facts.os | take 1").stdout
    assert '"versionId":"12"' in nested
    done = client("query", "resources | nonsense", status=1)
    assert done.stdout == "" and done.stderr.startswith("merlon: (")


def test_a_subscription_that_is_not_there(client):
    other = "00000000-0000-4000-8000-000000000000"
    for line in (["score"], ["resources"], ["log", "list"], ["recommendations"]):
        assert client(*line, "--subscription", other, "--json", status=3).stdout == ""
    assert "(SubscriptionNotFound)" in client("score", "--subscription", "a/../b?c", status=3).stderr


# ---- tokens ----

def test_enrolment_tokens(client):
    made = client("token", "create", "--uses", "2", "--hours", "1", "--description", "for a \x1b[31mtest")
    token = made.stdout.strip()
    assert re.fullmatch(r"mlt_[\w-]{40,}", token) and token not in made.stderr
    tokens = json.loads(client("tokens", "--json").stdout)
    mine = next(t for t in tokens if t["properties"].get("description", "").startswith("for a"))
    shown = client("tokens").stdout
    assert token not in shown and "\x1b" not in shown
    assert re.search(rf"^{mine['name']} +good +0 +2 +\S+Z +{ADMIN} +for a", shown, re.MULTILINE)
    assert json.loads(client("token", "revoke", mine["name"], "--json").stdout) == {"revoked": mine["name"]}
    assert re.search(rf"^{mine['name']} +revoked ", client("tokens").stdout, re.MULTILINE)
    client("token", "revoke", "none", status=3)
    client("token", "create", "--group", "none", status=3)


# ---- the activity log ----

def test_the_log_lists_who_did_what(client):
    token = json.loads(client("token", "create", "--json").stdout)["name"]
    entries = json.loads(client("log", "list", "--json").stdout)
    assert entries[0]["caller"] == ADMIN and "enrolmentTokens" in entries[0]["operationName"]["value"]
    assert len(client("log", "list").stdout.splitlines()) == len(entries) + 1
    times = [datetime.datetime.fromisoformat(entry["eventTimestamp"].replace("Z", "+00:00")) for entry in entries]
    assert times == sorted(times, reverse=True)
    assert json.loads(client("log", "list", "--to", "2020-01-01T00:00:00Z", "--from", "2019-12-31T00:00:00Z", "--json").stdout) == []
    client("token", "revoke", token)


def test_a_log_that_was_tampered_with(own_server, tmp_path):
    client = Client(own_server, tmp_path / "config").login()
    for _ in range(3):
        client("token", "create", "--description", "x")
    intact = client("log", "verify").stdout
    count = int(re.search(r"intact: (\d+) entries", intact).group(1))
    report = json.loads(client("log", "verify", "--json").stdout)
    assert report["intact"] is True and report["entriesChecked"] == count and report["headHash"] in intact
    own_server.stop()
    with sqlite3.connect(own_server.state / "merlon.db") as database:
        key, value = database.execute("SELECT key, value FROM activity ORDER BY key LIMIT 1 OFFSET 1").fetchone()
        assert ADMIN.encode() in value
        database.execute("UPDATE activity SET value = ? WHERE key = ?", (value.replace(ADMIN.encode(), b"nobod"), key))
    database.close()
    own_server.start()
    client = Client(own_server, tmp_path / "again").login()
    assert "tampered with: entry 2 does not fit (1 before it do)" in client("log", "verify", status=1).stdout
    report = json.loads(client("log", "verify", "--json", status=1).stdout)
    assert report["intact"] is False and report["firstBrokenEntry"] == 2


# ---- removing ----

def test_a_machine_is_removed(own_server, tmp_path):
    put_machines(own_server)
    client = Client(own_server, tmp_path / "config").login()
    removed = json.loads(client("machine", "remove", "db-1", "--json").stdout)
    assert removed == {"removed": machine_id(own_server, "db-1")}
    assert {m["name"] for m in json.loads(client("machines", "--json").stdout)} == {"web-1", "bastion-1"}
    client("machine", "remove", "db-1", status=3)
    group = f"{own_server.s}/resourceGroups/second"
    assert own_server.call("PUT", group, {"location": "local"}).status == 201
    assert own_server.call("PUT", f"{group}/providers/{TYPE}/web-1", MACHINES["web-1"]).status == 201
    assert "several machines are called 'web-1'" in client("machine", "remove", "web-1", status=1).stderr
    shown = client("machine", "remove", f"{group}/providers/{TYPE}/web-1").stdout
    assert shown.startswith("Removed ") and "its certificate is refused from now on" in shown
    assert len(json.loads(client("machines", "--json").stdout)) == 2


def test_an_empty_server_has_empty_answers(own_server, tmp_path):
    client = Client(own_server, tmp_path / "config").login()
    for line in (["resources"], ["machines"], ["recommendations"], ["tokens"], ["score", "--explain"], ["query", "resources"]):
        assert json.loads(client(*line, "--json").stdout) == [], line
        client(*line)
    assert "The score has not changed yet." in client("score", "--explain").stdout
    assert json.loads(client("score", "--json").stdout)["secureScore"]["properties"]["score"]["current"] == 0
