"""Subscriptions, groups, resources, rights and the activity log over HTTP."""

import urllib.parse

import pytest

pytestmark = pytest.mark.fast

THING = {"location": "local", "tags": {"a": "b"}, "properties": {"size": 1}}


def test_subscriptions_and_locations(server):
    subscription, = server.call("GET", "/subscriptions").json["value"]
    assert subscription["subscriptionId"] == server.subscription and subscription["tenantId"] == server.tenant
    assert server.call("GET", server.s).json == subscription
    location, = server.call("GET", f"{server.s}/locations").json["value"]
    assert location["name"] == "local"


def test_a_resource_group_comes_and_goes(server):
    path = f"{server.s}/resourceGroups/Web"
    assert server.call("PUT", path, body={}).code == "LocationRequired"
    made = server.call("PUT", path, body={"location": "local", "tags": {"env": "test"}})
    assert made.status == 201 and made.json["properties"] == {"provisioningState": "Succeeded"}
    assert server.call("PUT", path.lower(), body={"location": "local"}).status == 200
    assert server.call("PUT", path, body={"location": "elsewhere"}).code == "InvalidResourceGroupLocation"
    assert server.call("PATCH", path, body={"tags": {"x": "y"}}).json["tags"] == {"x": "y"}
    assert server.call("PUT", path, body={"location": "local", "tags": {"x": 1}}).status == 400
    names = [group["name"] for group in server.call("GET", f"{server.s}/resourcegroups").json["value"]]
    assert "Web" in names and "default" in names
    thing = f"{path}/providers/Contoso.Any/things/one"
    assert server.call("PUT", thing, body=THING).status == 201
    assert server.call("DELETE", path).code == "ResourceGroupNotEmpty"
    assert server.call("DELETE", thing).status == 200
    gone = server.call("DELETE", path)
    assert gone.status == 202
    poll = urllib.parse.urlsplit(gone.headers["location"])
    assert server.call("GET", f"{poll.path}?{poll.query}", version=None).status == 200
    assert server.call("GET", path).code == "ResourceGroupNotFound"


def test_lists_have_pages(server):
    for i in range(3):
        server.call("PUT", f"{server.s}/resourceGroups/page{i}", body={"location": "local"})
    names, path = [], f"{server.s}/resourceGroups?$top=2"
    while path:
        page = server.call("GET", path, version=None if "api-version" in path else "2021-04-01").json
        names += [group["name"] for group in page["value"]]
        link = urllib.parse.urlsplit(page["nextLink"]) if "nextLink" in page else None
        path = f"{link.path}?{link.query}" if link else None
    assert {"page0", "page1", "page2", "default"} <= set(names) and len(names) == len(set(names))
    for i in range(3):
        server.call("DELETE", f"{server.s}/resourceGroups/page{i}")


def test_a_resource_of_any_provider(server):
    path = f"{server.g}/providers/Contoso.Any/things/One"
    made = server.call("PUT", path, body={**THING, "id": "/lies", "type": "lies"})
    assert made.status == 201
    assert (made.json["id"], made.json["name"], made.json["type"]) == (path, "One", "Contoso.Any/things")
    assert server.call("PUT", path, body=THING, headers={"If-None-Match": "*"}).status == 412
    got = server.call("GET", path)
    etag = got.headers["etag"]
    patched = server.call("PATCH", path, body={"tags": {"c": "d"}, "properties": {"size": None, "color": "red"}},
                          headers={"If-Match": etag})
    assert patched.json["tags"] == {"a": "b", "c": "d"} and patched.json["properties"] == {"color": "red"}
    assert server.call("PUT", path, body=THING, headers={"If-Match": etag}).code == "PreconditionFailed"
    listed, = server.call("GET", f"{server.g}/providers/Contoso.Any/things").json["value"]
    assert listed["properties"] == {"color": "red"}
    brief = [r for r in server.call("GET", f"{server.s}/resources").json["value"] if r["id"] == path]
    assert brief and "properties" not in brief[0]
    full = [r for r in server.call("GET", f"{server.s}/resources?$expand=properties").json["value"] if r["id"] == path]
    assert full[0]["properties"] == {"color": "red"}
    only = urllib.parse.quote("resourceType eq 'Contoso.Any/others'")
    assert server.call("GET", f"{server.s}/resources?$filter={only}").json["value"] == []
    assert server.call("PUT", f"{server.g}/providers/Microsoft.Security/things/x", body=THING).code == "InvalidResourceType"
    assert server.call("DELETE", path).status == 200
    assert server.call("DELETE", path).status == 204
    assert server.call("GET", path).code == "ResourceNotFound"


def test_providers_and_operations(server):
    names = [p["namespace"] for p in server.call("GET", f"{server.s}/providers").json["value"]]
    assert "Microsoft.Security" in names
    provider = server.call("GET", f"{server.s}/providers/microsoft.security").json
    assert provider["registrationState"] == "Registered"
    assert "pricings" in [t["resourceType"] for t in provider["resourceTypes"]]
    assert server.call("POST", f"{server.s}/providers/Microsoft.Security/register").status == 200
    assert server.call("GET", f"{server.s}/providers/No.Such").code == "InvalidResourceNamespace"
    operations = server.call("GET", "/providers/Microsoft.Security/operations").json["value"]
    assert "Microsoft.Security/pricings/write" in [o["name"] for o in operations]


# ---- rights ----

def test_rights_are_given_and_taken(server):
    who = server.add_user("rita")

    def ask(method, path, **more):
        return server.call(method, path, user="rita", **more).status

    assert ask("GET", f"{server.s}/resourceGroups") == 403 or server.call(
        "GET", f"{server.s}/resourceGroups", user="rita").json["value"] == []
    assert server.call("GET", "/subscriptions", user="rita").json["value"] == []
    assert ask("GET", server.g) == 403
    reader = server.assign(who, "Reader", server.g)
    assert ask("GET", server.g) == 200
    assert ask("PUT", server.g, body={"location": "local"}) == 403
    assert server.call("GET", "/subscriptions", user="rita").json["value"] != []
    assert ask("GET", "/providers/Microsoft.Security/principals", version="2026-11-01") == 403
    admin = server.assign(who, "Security Admin", server.s)
    assert ask("PUT", f"{server.s}/providers/Microsoft.Security/pricings/VirtualMachines", version="2022-03-01",
               body={"properties": {"pricingTier": "Standard"}}) == 200
    assert ask("PUT", f"/providers/Microsoft.Security/principals/{who}", version="2026-11-01", body={"properties": {}}) == 403
    for assignment in (reader, admin):
        assert server.call("DELETE", assignment, version="2022-04-01").status == 200
    assert ask("GET", server.g) == 403
    gone = f"/providers/Microsoft.Security/principals/{who}"
    assert server.call("DELETE", gone, version="2026-11-01").status == 200
    assert ask("GET", server.g) == 401


def test_role_assignments_are_refused_with_reasons(server):
    who = server.add_user("rolf")
    path = f"{server.s}/providers/Microsoft.Authorization/roleAssignments/"
    guid = "12345678-0000-4000-8000-000000000001"
    role = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"

    def put(name, role_id, principal):
        return server.call("PUT", path + name, body={"properties": {"roleDefinitionId": role_id, "principalId": principal}})

    assert put("not-a-guid", role, who).code == "InvalidRoleAssignmentId"
    assert put(guid, "/x/none", who).code == "RoleDefinitionDoesNotExist"
    assert put(guid, role, "none").code == "PrincipalNotFound"
    assert put(guid, role, who).status == 201
    assert put(guid, role, who).status == 200
    assert put(guid.replace("1234", "4321"), role, who).code == "RoleAssignmentExists"
    listed = server.call("GET", path[:-1] + "?$filter=" + urllib.parse.quote(f"principalId eq '{who}'")).json["value"]
    assert [a["name"] for a in listed] == [guid]
    server.call("DELETE", path + guid)


def test_the_last_owner_and_oneself(server):
    me, = [p for p in server.call("GET", "/providers/Microsoft.Security/principals", version="2026-11-01").json["value"]
           if p["properties"].get("userName") == "admin"]
    assert server.call("DELETE", me["id"], version="2026-11-01").status == 409
    off = {"properties": {"accountEnabled": False}}
    assert server.call("PUT", me["id"], body=off, version="2026-11-01").status == 409
    owner = [a for a in server.call("GET", "/providers/Microsoft.Authorization/roleAssignments").json["value"]
             if a["properties"]["scope"] == "/"]
    assert server.call("DELETE", owner[0]["id"]).status == 409


# ---- the activity log ----

def values(server, text="", path=None):
    query = f"?$filter={urllib.parse.quote(text)}" if text else ""
    base = f"{path or server.s}/providers/Microsoft.Insights/eventtypes/management/values"
    return server.call("GET", base + query, version="2015-04-01").json["value"]


def test_every_write_is_recorded(server):
    path = f"{server.s}/resourceGroups/logged"
    server.call("PUT", path, body={"location": "local"}, headers={"CommandName": "group create"})
    entry = values(server, "resourceGroupName eq 'logged'")[0]
    assert entry["operationName"]["value"] == "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert entry["caller"] == "admin" and entry["status"]["value"] == "Succeeded"
    assert entry["properties"]["clientCommand"] == "group create"
    server.add_user("vera")
    server.call("DELETE", path, user="vera")
    refused = values(server, "caller eq 'vera'")[0]
    assert refused["status"]["value"] == "Failed" and refused["subStatus"]["value"] == "403"
    thing = f"{path}/providers/Contoso.Any/things/one"
    assert server.call("PUT", thing, body=THING).status == 201
    assert values(server, f"resourceUri eq '{thing}'")[0]["operationName"]["value"] == "Contoso.Any/things/write"
    server.call("DELETE", thing)
    server.call("DELETE", path)
    assert values(server, "eventTimestamp ge '2100-01-01T00:00:00Z'") == []
    assert values(server, "eventTimestamp ge '2020-01-01T00:00:00.123456' and eventTimestamp le '2100-01-01T00:00:00Z'")


def test_the_chain_holds(server):
    check = server.call("GET", "/providers/Microsoft.Security/activityLogVerifications/default", version="2026-11-01").json
    assert check["properties"]["intact"] is True
    assert check["properties"]["entriesChecked"] == check["properties"]["headSequence"] > 0
