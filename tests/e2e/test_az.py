"""Debian's unmodified az drives the server: signing in, and every group of `az security` that a subscription has.

Calls that only read are run two at a time before the first of their tests asks for its result; each test then judges one. The
others are short stories. One line at the end counts the calls that were judged.
"""

import concurrent.futures
import json
import re
import shutil
import time
import types

import pytest
from cryptography.hazmat.primitives import serialization

from az import AZ, FAILED, NOT_FOUND, Az, Tally
from conftest import ADMIN, PASSWORD, make_server
from machines import MACHINES, machine_id, put_machines
from pages import Browser
from test_http import sign, unpart
from test_signin import client_certificate

pytestmark = pytest.mark.skipif(not AZ, reason="az is not installed (package azure-cli)")

READER, WORKER = "9d1f0e66-0000-4000-8000-000000000001", "9d1f0e66-0000-4000-8000-000000000002"
CUSTOM = "7a3b2c11-0000-4000-8000-00000000000a"
UNKNOWN = "00000000-0000-4000-8000-00000000dead"
PRINCIPALS = "/providers/Microsoft.Security/principals"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A server with three machines, two service principals, and az signed in as one of them."""
    server, tally, directory = make_server(), Tally(), tmp_path_factory.mktemp("az")
    put_machines(server)
    secrets = {}
    for principal, role in ((READER, "Reader"), (WORKER, "Owner")):
        server.call("PUT", f"{PRINCIPALS}/{principal}", {"properties": {
            "principalType": "ServicePrincipal", "appDisplayName": role.lower()}})
        secrets[principal] = server.call("POST", f"{PRINCIPALS}/{principal}/addSecret").json["clientSecret"]
        server.assign(principal, role, server.s)
    az = Az(server, directory / "worker", tally).register_cloud()
    az.login("--service-principal", "-u", WORKER, "-p", secrets[WORKER], "--tenant", "adfs")

    def another(name):
        """A further az that knows the cloud and is not signed in."""
        return Az(server, directory / name, tally).register_cloud()

    yield types.SimpleNamespace(server=server, az=az, secrets=secrets, another=another, directory=directory)
    print(f"conformance: az {tally.passed} of {tally.total}")
    assert server.stop() == 0, server.log()


@pytest.fixture
def az(world):
    return world.az


@pytest.fixture
def server(world):
    return world.server


# ---- what only reads ----

def first(**wanted):
    """A list that has an item with these members."""
    return lambda value: any(all(item.get(k) == v for k, v in wanted.items()) for item in value)


def has(**wanted):
    return lambda value: all(value.get(k) == v for k, v in wanted.items())


def count(n):
    return lambda value: len(value) == n


EMPTY = count(0)
WRAPPED_EMPTY = has(value=[])  # lists without pages come as the answer itself
NONE = "not found|NotFound"
WRONG_PROOF = "The name or the secret is not right"
PLANS = {"VirtualMachines", "Containers", "StorageAccounts", "KeyVaults", "Arm", "CloudPosture", "SqlServers"}

READS = {  # words after az: what its value must be like, or the text of its refusal
    "account show": has(environmentName="merlon", name="Default"),
    "account list": first(isDefault=True, state="Enabled"),
    "account list-locations": first(name="local"),
    "group list": first(name="default", location="local"),
    "group show -n default": has(type="Microsoft.Resources/resourceGroups"),
    "group exists -n none": lambda value: value is False,
    "group show -n none": "ResourceGroupNotFound",
    "provider list": first(namespace="Microsoft.Security", registrationState="Registered"),
    "provider show -n Microsoft.Security": lambda value: first(resourceType="pricings")(value["resourceTypes"]),
    "resource list": lambda value: len(value) == len(MACHINES) and first(name="web-1")(value),
    "resource list --resource-type Microsoft.HybridCompute/machines -g default": count(len(MACHINES)),
    "security pricing list": lambda value: PLANS <= {plan["name"] for plan in value["value"]},
    "security pricing show -n VirtualMachines": has(pricingTier="Free", name="VirtualMachines"),
    "security pricing show -n virtualmachines": has(name="VirtualMachines"),
    "security secure-scores list": lambda value: value[0]["name"] == "ascScore" and 0 < value[0]["percentage"] < 1,
    "security secure-scores show -n ascScore": lambda value: value["weight"] == len(MACHINES) and value["max"] > 0,
    "security secure-score-controls list": lambda value: len(value) == 15 and first(displayName="Secure management ports")(value),
    "security secure-score-controls list_by_score -n ascScore": count(15),
    "security secure-score-control-definitions list": first(displayName="Enable MFA", maxScore=10),
    "security assessment list": lambda value: len(value) > 900 and first(name=value[0]["name"])(value),
    "security assessment-metadata list": lambda value: len(value) > 300 and first(assessmentType="BuiltIn")(value),
    "security sub-assessment list": EMPTY,
    "security location list": first(name="local"),
    "security location show -n local": lambda value: value["properties"]["homeRegionName"] == "local",
    "security setting list": first(name="MCAS", kind="DataExportSettings"),
    "security setting show -n MCAS": has(enabled=False),
    "security setting show -n Sentinel": has(kind="AlertSyncSettings"),
    "security contact list": EMPTY,
    "security auto-provisioning-setting list": first(name="default", autoProvision="Off"),
    "security auto-provisioning-setting show -n default": has(autoProvision="Off"),
    "security workspace-setting list": EMPTY,
    "security task list": lambda value: len(value) > 20 and first(state="Active")(value),
    "security task list -g default": lambda value: len(value) > 20,
    "security atp storage show -g default --storage-account acct": has(isEnabled=False, name="current"),
    # What is not built is like an Azure subscription in which nobody has used it.
    "security alert list": EMPTY,
    "security alert list -g default": EMPTY,
    "security alert list -l local": EMPTY,
    "security alert show -l local -n none": NONE,
    "security alerts-suppression-rule list": EMPTY,
    "security alerts-suppression-rule show --rule-name none": NONE,
    "security jit-policy list": EMPTY,
    "security jit-policy list -g default": EMPTY,
    "security jit-policy show -l local -g default -n none": NONE,
    "security automation list": EMPTY,
    "security automation list -g default": EMPTY,
    "security automation show -g default -n none": NONE,
    "security regulatory-compliance-standards list": EMPTY,
    "security regulatory-compliance-standards show -n none": NONE,
    "security regulatory-compliance-controls list --standard-name none": NONE,
    "security regulatory-compliance-controls show --standard-name none -n 1": NONE,
    "security regulatory-compliance-assessments list --standard-name none --control-name 1": NONE,
    "security regulatory-compliance-assessments show --standard-name none --control-name 1 -n x": NONE,
    "security adaptive-application-controls list": WRAPPED_EMPTY,
    "security adaptive-application-controls show --group-name none": NONE,
    "security adaptive_network_hardenings list -g default --resource-name web-1 --resource-namespace Microsoft.HybridCompute "
    "--resource-type machines": EMPTY,
    "security adaptive_network_hardenings show -g default --resource-name web-1 --resource-namespace Microsoft.HybridCompute "
    "--resource-type machines --adaptive-network-hardenings-resource-name none": NONE,
    "security allowed_connections list": EMPTY,
    "security allowed_connections show -g default -n Internal": NONE,
    "security topology list": EMPTY,
    "security topology show -g default -n none": NONE,
    "security discovered-security-solution list": EMPTY,
    "security discovered-security-solution show -g default -n none": NONE,
    "security external-security-solution list": EMPTY,
    "security external-security-solution show -g default -n none": NONE,
    "security security-solutions list": EMPTY,
    "security security-solutions-reference-data list": WRAPPED_EMPTY,
    "security iot-solution list": EMPTY,
    "security iot-solution list -g default": EMPTY,
    "security iot-solution show -g default --solution-name none": NONE,
    "security iot-analytics list -g default --solution-name none": NONE,
    "security iot-analytics show -g default --solution-name none": NONE,
    "security iot-alerts list -g default --solution-name none": NONE,
    "security iot-recommendations list -g default --solution-name none": NONE,
    # Wrong questions.
    "security pricing show -n NoSuchPlan": "There is no plan 'NoSuchPlan'",
    "security secure-scores show -n other": "There is no secure score 'other'",
    f"security assessment-metadata show -n {UNKNOWN}": NONE,
    f"security assessment show -n {UNKNOWN}": NONE,
    "security contact show -n none": NONE,
    "security workspace-setting show -n none": NONE,
    "security task show -n none": NONE,
    "security location show -n elsewhere": "There is no location 'elsewhere'",
}


@pytest.fixture(scope="module")
def results(world):
    """Futures of the calls of READS, two at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield {words: pool.submit(world.az.run, *words.split()) for words in READS}


@pytest.mark.parametrize("words", READS)
def test_reading(world, results, words):
    wanted, result = READS[words], results[words].result()
    if isinstance(wanted, str):
        good = result.status == NOT_FOUND and re.search(wanted, result.err) and "Traceback" not in result.err
    else:
        good = result.status == 0 and wanted(result.value)
    world.az.tally.judge(result, good)


def test_every_group_of_az_is_asked(world):
    """A group that a newer az brings is noticed here."""
    listed = re.findall(r"^    ([a-z_-]+) +:", world.az.run("security", "-h").out, re.MULTILINE)
    makers = {name for name in listed if name.startswith("automation-")}  # they print JSON and ask no server
    asked = {words.split()[1] for words in READS if words.startswith("security ")} | {"va"}
    assert set(listed) - makers == asked


# ---- signing in ----

def test_a_secret_of_a_service_principal(world):
    az = world.another("secret")
    az.login("--service-principal", "-u", READER, "-p", world.secrets[READER], "--tenant", world.server.tenant)
    az.fails(FAILED, WRONG_PROOF, "login", "--service-principal", "-u", READER, "-p", "wrong", "--tenant", "adfs")


def test_a_certificate_of_a_service_principal(world, tmp_path):
    pem, key, _ = client_certificate()
    world.server.call("PUT", f"{PRINCIPALS}/{READER}", {"properties": {"certificates": [pem]}})
    file = tmp_path / "reader.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()) + pem.encode())
    az = world.another("certificate")
    az.login("--service-principal", "-u", READER, "-p", str(file), "--tenant", "adfs")
    az.ok("security", "secure-scores", "list", when=count(1))
    other_pem, other_key, _ = client_certificate()
    file.write_bytes(other_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()) + other_pem.encode())
    world.another("other-certificate").fails(FAILED, WRONG_PROOF, "login", "--service-principal", "-u", READER,
                                             "-p", str(file), "--tenant", "adfs")


def test_name_and_password_of_a_user(world):
    az = world.another("user")
    az.fails(FAILED, WRONG_PROOF, "login", "-u", ADMIN, "-p", "not the password")
    az.login("-u", ADMIN, "-p", PASSWORD)
    az.ok("account", "show", when=lambda value: value["user"] == {"name": ADMIN, "type": "user"})
    az.ok("group", "list", when=first(name="default"))


def test_a_device_code(world):
    az = world.another("device")
    login = az.start("login", "--use-device-code")
    message = login.stderr.readline()
    code = re.search(r"enter the code (\S+?)\.?\s", message)[1]
    browser = Browser(world.server)
    browser.get("/adfs/oauth2/deviceauth")
    browser.sign_in()
    browser.submit(user_code=code, step="find")
    assert b"Azure CLI" in browser.page.body
    browser.submit(step="allow")
    out, err = login.communicate(timeout=60)
    assert login.returncode == 0, err
    assert json.loads(out)[0]["user"]["name"] == ADMIN
    az.ok("account", "show", when=lambda value: value["user"]["name"] == ADMIN)


def replace_token(az, change):
    """Changes the access token that az has cached, by `change`."""
    path = az.directory / "service_principal_entries.json"
    cache = az.directory / "msal_token_cache.json"
    assert path.exists() and cache.exists()
    content = json.loads(cache.read_text())
    for entry in content["AccessToken"].values():
        entry["secret"] = change(entry["secret"])
    cache.write_text(json.dumps(content))


def test_a_token_that_has_expired(world, tmp_path):
    own = serialization.load_pem_private_key(next((world.server.state / "token-keys").iterdir()).read_bytes(), None)

    def expire(token):
        header, claims, _ = token.split(".")
        return sign(header, {**json.loads(unpart(claims)), "exp": int(time.time()) - 1}, own)

    az = Az(world.server, tmp_path / "expired", world.az.tally)
    shutil.copytree(world.az.directory, az.directory, dirs_exist_ok=True)
    replace_token(az, expire)
    az.fails(FAILED, "ExpiredAuthenticationToken", "security", "secure-scores", "list")
    replace_token(az, lambda token: token[:-8] + "AAAAAAAA")
    az.fails(FAILED, "InvalidAuthenticationToken", "security", "secure-scores", "list")


def test_signing_out(world):
    az = world.another("out")
    az.login("--service-principal", "-u", READER, "-p", world.secrets[READER], "--tenant", "adfs")
    az.ok("logout")
    az.fails(FAILED, "az login", "security", "secure-scores", "list")


# ---- rights ----

def test_a_reader_may_read_and_not_write(world):
    az = world.another("reader")
    az.login("--service-principal", "-u", READER, "-p", world.secrets[READER], "--tenant", "adfs")
    az.ok("security", "pricing", "show", "-n", "VirtualMachines", when=has(name="VirtualMachines"))
    for words in (["security", "pricing", "create", "-n", "VirtualMachines", "--tier", "standard"],
                  ["security", "contact", "create", "-n", "c", "--email", "a@b.c", "--alert-notifications", "on",
                   "--alerts-admins", "on"],
                  ["group", "create", "-n", "mine", "-l", "local"],
                  ["group", "delete", "-n", "default", "-y"]):
        text = az.fails(FAILED, "AuthorizationFailed", *words)
        assert re.search("/(write|delete)'", text), text
    az.ok("group", "exists", "-n", "default", when=lambda value: value is True)


def test_a_subscription_that_is_not_there(az):
    az.fails(FAILED, "doesn't exist|not found", "security", "secure-scores", "list", "--subscription", UNKNOWN)
    az.fails(FAILED, "not found", "rest", "-m", "get", "-u",
             f"/subscriptions/{UNKNOWN}/providers/Microsoft.Security/pricings?api-version=2022-03-01")


# ---- plans and settings ----

def test_a_plan_is_switched(az, server):
    az.ok("security", "pricing", "create", "-n", "KeyVaults", "--tier", "standard", when=has(pricingTier="Standard"))
    az.ok("security", "pricing", "show", "-n", "KeyVaults", when=has(pricingTier="Standard"))
    az.ok("security", "pricing", "create", "-n", "KeyVaults", "--tier", "free", when=has(pricingTier="Free"))
    az.fails(FAILED, "can only accept", "security", "pricing", "create", "-n", "KeyVaults", "--tier", "gold")  # az itself
    az.fails(FAILED, "'gold'; it must be one of Free, Standard", "rest", "-m", "put", "-b", '{"properties":{"pricingTier":"gold"}}',
             "-u", f"{server.s}/providers/Microsoft.Security/pricings/KeyVaults?api-version=2022-03-01")
    az.fails(NOT_FOUND, "There is no plan", "security", "pricing", "create", "-n", "NoSuchPlan", "--tier", "free")
    az.ok("security", "pricing", "show", "-n", "KeyVaults", when=has(pricingTier="Free"))


def test_a_setting_is_switched(az):
    for word in ("true", "false"):
        az.ok("security", "setting", "update", "-n", "MCAS", "--enabled", word, when=has(enabled=word == "true"))
        az.ok("security", "setting", "show", "-n", "MCAS", when=has(enabled=word == "true"))
    az.ok("security", "auto-provisioning-setting", "update", "-n", "default", "--auto-provision", "on",
          when=has(autoProvision="On"))
    az.ok("security", "auto-provisioning-setting", "show", "-n", "default", when=has(autoProvision="On"))
    az.ok("security", "auto-provisioning-setting", "update", "-n", "default", "--auto-provision", "off",
          when=has(autoProvision="Off"))


def test_a_contact_comes_and_goes(az):
    az.ok("security", "contact", "create", "-n", "default1", "--email", "ops@example.org", "--phone", "1", "--alert-notifications",
          "on", "--alerts-admins", "off", when=has(email="ops@example.org", alertNotifications="On", alertsToAdmins="Off"))
    az.ok("security", "contact", "show", "-n", "default1", when=has(phone="1"))
    az.ok("security", "contact", "list", when=count(1))
    az.ok("security", "contact", "delete", "-n", "default1")
    az.fails(NOT_FOUND, NONE, "security", "contact", "show", "-n", "default1")
    az.ok("security", "contact", "delete", "-n", "default1")  # gone already is as good


def test_a_workspace_comes_and_goes(az, server):
    workspace = f"{server.g}/providers/Microsoft.OperationalInsights/workspaces/w"
    az.ok("security", "workspace-setting", "create", "-n", "default", "--target-workspace", workspace,
          when=has(workspaceId=workspace, scope=server.s))
    az.ok("security", "workspace-setting", "show", "-n", "default", when=has(workspaceId=workspace))
    az.ok("security", "workspace-setting", "delete", "-n", "default")
    az.fails(NOT_FOUND, NONE, "security", "workspace-setting", "show", "-n", "default")


def test_threat_protection_of_an_account(az):
    where = ["-g", "default", "--storage-account", "acct"]
    az.ok("security", "atp", "storage", "update", *where, "--is-enabled", "true", when=has(isEnabled=True))
    az.ok("security", "atp", "storage", "show", *where, when=has(isEnabled=True))
    az.ok("security", "atp", "storage", "update", *where, "--is-enabled", "false", when=has(isEnabled=False))
    az.ok("security", "atp", "cosmosdb", "show", "-g", "default", "--cosmosdb-account", "c", when=has(isEnabled=False))


# ---- assessments ----

def test_an_assessment_of_ones_own(az, server):
    machine = machine_id(server, "web-1")
    az.fails(FAILED, "assessmentMetadata", "security", "assessment", "create", "-n", CUSTOM, "--status-code", "Healthy")
    az.ok("security", "assessment-metadata", "create", "-n", CUSTOM, "--display-name", "Racks are locked", "--severity", "low",
          "--description", "Every rack has a lock.", "--remediation-description", "Lock it.",
          when=has(assessmentType="CustomerManaged", severity="Low", displayName="Racks are locked"))
    az.ok("security", "assessment-metadata", "show", "-n", CUSTOM, when=has(description="Every rack has a lock."))
    az.ok("security", "assessment-metadata", "list", when=first(name=CUSTOM))
    az.ok("security", "assessment", "create", "-n", CUSTOM, "--status-code", "unhealthy", "--status-cause", "Seen",
          "--status-description", "rack 3 is open", when=lambda value: value["status"]["code"] == "Unhealthy")
    az.ok("security", "assessment", "create", "-n", CUSTOM, "--status-code", "Healthy", "--assessed-resource-id", machine,
          when=lambda value: value["resourceDetails"]["id"].lower() == machine.lower())
    az.ok("security", "assessment", "show", "-n", CUSTOM, "--assessed-resource-id", machine,
          when=lambda value: value["status"]["code"] == "Healthy" and value["displayName"] == "Racks are locked")
    az.ok("security", "assessment", "show", "-n", CUSTOM, when=lambda value: value["status"]["cause"] == "Seen")
    az.ok("security", "assessment", "list", when=lambda value: len([a for a in value if a["name"] == CUSTOM]) == 2)
    az.fails(FAILED, "can only accept", "security", "assessment", "create", "-n", CUSTOM, "--status-code", "maybe")  # az itself
    az.ok("security", "assessment", "delete", "-n", CUSTOM)
    az.ok("security", "assessment", "delete", "-n", CUSTOM, "--assessed-resource-id", machine)
    az.fails(NOT_FOUND, NONE, "security", "assessment", "show", "-n", CUSTOM)
    az.ok("security", "assessment-metadata", "delete", "-n", CUSTOM)
    az.fails(NOT_FOUND, NONE, "security", "assessment-metadata", "show", "-n", CUSTOM)


def test_a_built_in_assessment(az, server):
    machine = machine_id(server, "web-1")
    root_login, = [item for item in az.run("security", "assessment-metadata", "list").value
                   if item["displayName"] == "SSH should not let root sign in"]
    key = root_login["name"]
    az.ok("security", "assessment-metadata", "show", "-n", key, when=has(severity="High", assessmentType="BuiltIn"))
    az.ok("security", "assessment", "show", "-n", key, "--assessed-resource-id", machine,
          when=lambda value: value["status"]["code"] == "Unhealthy" and "PermitRootLogin" in value["status"]["description"])
    az.ok("security", "sub-assessment", "list", "--assessed-resource-id", machine, "--assessment-name", key, when=EMPTY)
    az.fails(NOT_FOUND, NONE, "security", "sub-assessment", "show", "--assessed-resource-id", machine, "--assessment-name", key,
             "-n", "none")
    az.fails(FAILED, "Conflict", "security", "assessment-metadata", "create", "-n", key, "--display-name", "x", "--severity",
             "low", "--description", "y")
    az.fails(FAILED, "Conflict", "security", "assessment", "create", "-n", key, "--status-code", "Healthy",
             "--assessed-resource-id", machine)
    az.fails(FAILED, "InvalidParameter.*GUID", "security", "assessment-metadata", "create", "-n", "not-a-guid", "--display-name",
             "x", "--severity", "low", "--description", "y")


def test_a_task_is_shown(az):
    task = az.run("security", "task", "list").value[0]
    az.ok("security", "task", "show", "-n", task["name"], when=has(state="Active", name=task["name"]))
    az.ok("security", "task", "show", "-g", "default", "-n", task["name"], when=has(id=task["id"]))


# ---- what is not built is refused plainly ----

def test_changes_that_are_not_built(az, server):
    scopes = json.dumps([{"description": "all", "scopePath": server.s}])
    az.fails(FAILED, "cannot do this yet", "security", "automation", "create_or_update", "-g", "default", "-n", "a", "-l", "local",
             "--scopes", scopes, "--sources", '[{"eventSource":"Assessments","ruleSets":null}]', "--actions", "[]")
    az.fails(FAILED, "cannot do this yet", "security", "alerts-suppression-rule", "update", "--rule-name", "r", "--alert-type",
             "*", "--reason", "Other", "--state", "Enabled")
    az.fails(FAILED, "cannot do this yet", "security", "iot-solution", "create", "-g", "default", "--solution-name", "s",
             "--display-name", "s", "--iot-hubs", "h", "-l", "local")
    az.ok("security", "automation", "delete", "-g", "default", "-n", "none")  # what is not there can be deleted
    az.ok("security", "alerts-suppression-rule", "delete", "--rule-name", "none")


def test_scans_of_databases(az, server):
    database = ["--vm-resource-id", machine_id(server, "db-1"), "--workspace-id", UNKNOWN, "--server-name", "s",
                "--database-name", "d"]
    az.ok("security", "va", "sql", "scans", "list", *database, when=WRAPPED_EMPTY)
    az.ok("security", "va", "sql", "baseline", "list", *database, when=WRAPPED_EMPTY)
    az.fails(NOT_FOUND, NONE, "security", "va", "sql", "scans", "show", *database, "--scan-id", "latest")
    az.fails(NOT_FOUND, NONE, "security", "va", "sql", "results", "list", *database, "--scan-id", "latest")
    az.fails(NOT_FOUND, NONE, "security", "va", "sql", "baseline", "show", *database, "--rule-id", "VA1")
    az.fails(FAILED, "cannot do this yet", "security", "va", "sql", "baseline", "set", *database, "--latest")


# ---- resource groups, providers, other resources, the graph ----

def test_a_resource_group_comes_and_goes(az):
    az.ok("group", "create", "-n", "racks", "-l", "local", "--tags", "floor=2", when=has(location="local", tags={"floor": "2"}))
    az.ok("group", "show", "-n", "racks", when=has(name="racks"))
    az.ok("group", "update", "-n", "racks", "--tags", "floor=3", when=has(tags={"floor": "3"}))
    az.ok("group", "delete", "-n", "racks", "-y")
    az.fails(NOT_FOUND, "ResourceGroupNotFound", "group", "show", "-n", "racks")
    az.fails(FAILED, "ResourceGroupNotEmpty", "group", "delete", "-n", "default", "-y")


def test_a_provider_is_registered(az):
    az.ok("provider", "register", "-n", "Microsoft.Security", "--wait")
    az.fails(NOT_FOUND, "InvalidResourceNamespace", "provider", "register", "-n", "No.Such")


def test_a_resource_through_rest(az, server):
    path = f"{server.g}/providers/Contoso.Racks/racks/r1?api-version=2026-01-01"
    az.ok("rest", "-m", "put", "-u", path, "-b", '{"location":"local","properties":{"doors":2}}',
          when=lambda value: value["properties"]["doors"] == 2 and value["type"] == "Contoso.Racks/racks")
    az.ok("rest", "-m", "patch", "-u", path, "-b", '{"tags":{"row":"b"}}', when=has(tags={"row": "b"}))
    az.ok("rest", "-m", "get", "-u", path, when=lambda value: value["properties"]["doors"] == 2)
    az.ok("rest", "-m", "delete", "-u", path)
    az.fails(FAILED, "ResourceNotFound|404|Not Found", "rest", "-m", "get", "-u", path)


def query(az, text, **options):
    body = json.dumps({"query": text, "options": options})
    return az.ok("rest", "-m", "post", "-u", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", "-b", body)


def test_the_graph_is_queried(az):
    answer = query(az, "resources | where type == 'microsoft.hybridcompute/machines' | project name | sort by name asc")
    assert [row["name"] for row in answer["data"]] == sorted(MACHINES)
    answer = query(az, "securityresources | where type == 'microsoft.security/assessments'"
                       " | summarize n = count() by code = tostring(properties.status.code) | where code == 'Unhealthy'")
    assert answer["data"][0]["n"] > 20
    page = query(az, "securityresources | project id | sort by id asc", **{"$top": 10})
    assert page["count"] == 10 and page["totalRecords"] > 900
    following = query(az, "securityresources | project id | sort by id asc", **{"$top": 10, "$skipToken": page["$skipToken"]})
    assert following["data"][0]["id"] > page["data"][-1]["id"]
    az.fails(FAILED, "ParserFailure", "rest", "-m", "post", "-b", '{"query":"resources | where"}',
             "-u", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01")


def test_what_was_done_is_on_record(az):
    az.ok("group", "create", "-n", "recorded", "-l", "local")
    az.ok("group", "delete", "-n", "recorded", "-y")
    entries = az.ok("monitor", "activity-log", "list", "-g", "recorded", "--offset", "1h")
    assert {entry["operationName"]["value"].split("/")[-1] for entry in entries} == {"write", "delete"}
    assert {entry["properties"]["clientCommand"] for entry in entries} == {"group create", "group delete"}


def test_a_token_for_another_client(az, server):
    token = az.ok("account", "get-access-token")["accessToken"]
    assert server.call("GET", server.s, token=token).status == 200
