"""What an attacker would try against a server: rights, identities, machines, the protocol. Nothing of it may work."""

import concurrent.futures
import http.client
import json
import resource
import secrets
import signal
import time
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import ADMIN, AZ_CLIENT, PASSWORD
from test_http import raw, read_all, serves

pytestmark = pytest.mark.fast

OURS = "2026-11-01"
PRINCIPALS = "/providers/Microsoft.Security/principals"


def guid():
    return f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}"


def group(server, name):
    path = f"{server.s}/resourceGroups/{name}"
    assert server.call("PUT", path, body={"location": "local"}).status in (200, 201)
    return path


def head(server):
    """The number of the newest entry of the activity log."""
    path = "/providers/Microsoft.Security/activityLogVerifications/default"
    properties = server.call("GET", path, version=OURS).json["properties"]
    assert properties["intact"]
    return properties["headSequence"]


def exchange(server, data):
    """Everything that comes back for these bytes."""
    with raw(server) as connection:
        connection.settimeout(10)
        connection.sendall(data)
        return read_all(connection)


# ---- rights ----

def test_strangers_leave_nothing_in_the_activity_log(server):
    before = head(server)
    for token in (None, "Bearer x.y.z"):
        headers = {"Authorization": token} if token else {}
        for method in ("PUT", "DELETE", "PATCH"):
            assert server.send(method, f"{server.g}?api-version=2021-04-01", headers=headers).status == 401
        assert server.send("POST", f"{server.g}/providers/Microsoft.Security/enrolmentTokens?api-version={OURS}",
                           headers=headers).status == 401
    assert head(server) == before


def test_who_has_no_role_learns_no_group_s_name(server):
    group(server, "hidden-from-all")
    server.add_user("nosy")
    for top in ("", "?$top=1"):
        answer = server.call("GET", f"{server.s}/resourceGroups{top}", user="nosy")
        assert answer.json == {"value": []}


def test_a_group_s_reader_pages_through_what_is_theirs(server):
    mine = [group(server, f"pages-{i}") for i in range(3)]
    group(server, "pages-0-not-mine")
    reader = server.add_user("pager")
    for path in mine:
        server.assign(reader, "Reader", path)
    names, path = [], f"{server.s}/resourceGroups?$top=1&api-version=2021-04-01"
    while path:
        answer = server.call("GET", path, version=None, user="pager").json
        names += [item["name"] for item in answer["value"]]
        path = answer.get("nextLink", "").removeprefix(server.url)
    assert names == ["pages-0", "pages-1", "pages-2"]


def graph(server, query, user=ADMIN, **more):
    return server.call("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": query, **more},
                       version="2021-03-01", user=user)


THING = {"location": "local", "properties": {"size": 1}}


def test_queries_show_what_their_caller_may_read(server):
    own, other = group(server, "graph-own"), group(server, "graph-other")
    for path in (own, other):
        assert server.call("PUT", f"{path}/providers/Contoso.Graph/things/t", THING).status in (200, 201)
    reader = server.add_user("grapher")
    for query in ("resources", "resourcecontainers", "securityresources"):
        assert graph(server, query, "grapher").json["data"] == []
    server.assign(reader, "Reader", own)
    escapes = ["resources", "resources | join kind=leftouter (resources | project other = id, type) on type",
               "resourcecontainers | where type endswith 'resourcegroups'",
               "resources | union resourcecontainers", "securityresources"]
    for query in escapes:
        answer = graph(server, query, "grapher",
                       facets=[{"expression": "id"}], options={"$top": 1000, "$skipToken": "0"})
        assert answer.status == 200, answer.body
        assert "graph-other" not in answer.body.decode(), query
    assert "graph-own" in graph(server, "resources", "grapher").body.decode()
    for query in ("principals", "role_assignments", "tokens", "documents", "activity"):
        assert graph(server, query).status == 400


def test_a_security_reader_queries_security_and_nothing_else(server):
    reader = server.add_user("auditor")
    server.assign(reader, "Security Reader", server.s)
    rows = graph(server, "securityresources | distinct type", "auditor").json["data"]
    assert "microsoft.security/securescores" in [row["type"] for row in rows]
    assert graph(server, "resources", "auditor").json["data"] == []
    path = f"{server.g}/providers/Microsoft.Security/enrolmentTokens"
    assert server.call("POST", path, {}, version=OURS, user="auditor").status == 403
    assert server.call("GET", PRINCIPALS, version=OURS, user="auditor").status == 403
    whatif = f"{server.s}/providers/Microsoft.Security/secureScores/ascScore/whatIf"
    assert server.call("POST", whatif, {"fixes": []}, version=OURS, user="auditor").status == 200


def test_nobody_raises_themselves(server):
    group(server, "climb")
    owner = server.add_user("climber")
    server.assign(owner, "Owner", f"{server.s}/resourceGroups/climb")
    role = server.call("GET", f"{server.s}/providers/Microsoft.Authorization/roleDefinitions").json["value"][0]["id"]
    body = {"properties": {"roleDefinitionId": role, "principalId": owner}}
    for scope in ("", server.s, server.g, f"{server.s}/resourceGroups/climbers", f"{server.s}/resourceGroups/climb%2F..",
                  f"{server.s}/resourceGroups/climb/..", f"//{server.s}", "/subscriptions",
                  f"{server.s}/resourceGroups/climb%2Fproviders/Microsoft.X/y/z"):
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid()}"
        assert server.call("PUT", path, body, version="2022-04-01", user="climber").status in (400, 403, 404), scope
    for method, path in (("GET", PRINCIPALS), ("PUT", f"{PRINCIPALS}/{guid()}"), ("PUT", f"{PRINCIPALS}/{owner}"),
                         ("POST", f"{PRINCIPALS}/{owner}/addSecret")):
        assert server.call(method, path, None if method == "GET" else {}, version=OURS, user="climber").status == 403
    contributor = server.add_user("helper")
    given = server.assign(contributor, "Contributor", "")
    path = f"{server.s}/providers/Microsoft.Authorization/roleAssignments/{guid()}"
    body["properties"]["principalId"] = contributor
    assert server.call("PUT", path, body, version="2022-04-01", user="helper").status == 403
    assert server.call("PUT", f"{PRINCIPALS}/{contributor}", {}, version=OURS, user="helper").status == 403
    assert server.call("POST", f"{PRINCIPALS}/{guid()}/addSecret", {}, version=OURS, user="helper").status == 403
    # a provider of ours in another spelling is not a resource of somebody else's
    for provider in ("Microsoft.Authorization", "microsoft.security", "Microsoft.Authorization%2F", "Microsoft.Security%2Fx"):
        path = f"{server.g}/providers/{provider}/roleAssignments2/x"
        assert server.call("PUT", path, THING, user="helper").status in (400, 403, 404), provider
    assert server.call("DELETE", given).status == 200


def test_a_setting_is_stored_as_what_its_right_was_asked_for(server):
    path = f"{server.s}/providers/Microsoft.Security/securityContacts/workspaceSettings"
    body = {"properties": {"emails": "a@example.org", "workspaceId": "w", "scope": server.s}}
    answer = server.call("PUT", path, body, version="2020-01-01-preview")
    assert answer.json["type"] == "Microsoft.Security/securityContacts"
    assert server.call("DELETE", path, version="2020-01-01-preview").status in (200, 204)
    place = group(server, "workspaceSettings")
    answer = server.call("GET", f"{place}/providers/Microsoft.Security/advancedThreatProtectionSettings/current",
                         version="2019-01-01")
    assert answer.json["type"] == "Microsoft.Security/advancedThreatProtectionSettings"


def test_a_slash_in_a_name_makes_no_other_place(server):
    path = f"{server.s}/providers/Microsoft.Security/workspaceSettings/a%2Fb"
    body = {"properties": {"workspaceId": "w", "scope": server.s}}
    answer = server.call("PUT", path, body, version="2017-08-01-preview")
    assert answer.status == 200 and answer.json["id"].endswith("/workspaceSettings/a%2Fb")
    assert server.call("GET", answer.json["id"], version="2017-08-01-preview").status == 200
    assert server.call("GET", path.replace("%2F", "/"), version="2017-08-01-preview").status == 404
    assert server.call("DELETE", path, version="2017-08-01-preview").status == 204


# ---- identities ----

def put_user(server, principal, name, **properties):
    return server.call("PUT", f"{PRINCIPALS}/{principal}", version=OURS,
                       body={"properties": {"principalType": "User", "userName": name, "password": PASSWORD, **properties}})


def test_a_name_used_again_does_not_bring_its_tokens_back(server):
    principal = guid()
    assert put_user(server, principal, "returner").status == 201
    tokens = server.token_request(grant_type="password", username="returner", password=PASSWORD).json
    assert server.call("DELETE", f"{PRINCIPALS}/{principal}", version=OURS).status == 200
    assert put_user(server, principal, "returner").status == 201
    assert server.call("GET", "/subscriptions", token=tokens["access_token"]).status == 401
    assert server.token_request(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 400


def test_who_is_switched_off_is_out_at_once(server):
    principal = guid()
    assert put_user(server, principal, "leaver").status == 201
    tokens = server.token_request(grant_type="password", username="leaver", password=PASSWORD).json
    page = {"X-Merlon-Request": "1", "Sec-Fetch-Site": "same-origin"}
    session = server.send("POST", "/ui/session", json.dumps({"user": "leaver", "password": PASSWORD}), page)
    cookie = {"Cookie": session.headers["set-cookie"].split(";")[0]}
    assert server.send("GET", "/ui/session", headers=cookie).status == 200
    off = {"properties": {"accountEnabled": False}}
    assert server.call("PUT", f"{PRINCIPALS}/{principal}", off, version=OURS).status == 200
    assert server.call("GET", "/subscriptions", token=tokens["access_token"]).status == 401
    assert server.send("GET", "/ui/session", headers=cookie).status == 401
    assert server.token_request(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 400
    assert server.token_request(grant_type="password", username="leaver", password=PASSWORD).status == 400
    on = {"properties": {"accountEnabled": True}}  # switched on again, the old ones stay dead
    assert server.call("PUT", f"{PRINCIPALS}/{principal}", on, version=OURS).status == 200
    assert server.call("GET", "/subscriptions", token=tokens["access_token"]).status == 401


def test_a_certificate_taken_away_ends_what_it_was_used_for(server, tmp_path):
    principal, (certificate, key) = guid(), make_pair(tmp_path, "robot")
    path = f"{PRINCIPALS}/{principal}"
    body = {"properties": {"principalType": "ServicePrincipal", "appDisplayName": "r", "certificates": [certificate.read_text()]}}
    assert server.call("PUT", path, body, version=OURS).status == 201
    secret = server.call("POST", f"{path}/addSecret", {}, version=OURS).json["clientSecret"]
    answer = server.form("/adfs/oauth2/token", {"grant_type": "client_credentials", "client_id": principal, "client_secret": secret})
    token = answer.json["access_token"]
    assert server.call("GET", "/subscriptions", token=token).status == 200
    assert server.call("PUT", path, {"properties": {"certificates": []}}, version=OURS).status == 200
    assert server.call("GET", "/subscriptions", token=token).status == 401


def test_two_users_cannot_take_one_name_at_once(server):
    for round_number in range(5):
        name = f"twin-{round_number}"
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: put_user(server, guid(), name).status, range(6)))
        assert sorted(answers)[0] == 201 and answers.count(201) == 1, answers
    names = [p["properties"].get("userName") for p in server.call("GET", PRINCIPALS, version=OURS).json["value"]]
    assert all(names.count(f"twin-{i}") == 1 for i in range(5))


def owners(server):
    return [a for a in server.call("GET", "/providers/Microsoft.Authorization/roleAssignments").json["value"]
            if a["properties"]["scope"] == "/" and a["properties"]["roleDefinitionId"].endswith("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")]


def test_an_owner_who_cannot_sign_in_is_none(own_server):
    server = own_server
    mine, = owners(server)
    second = server.add_user("second")
    server.assign(second, "Owner", "")
    off = {"properties": {"accountEnabled": False}}
    assert server.call("PUT", f"{PRINCIPALS}/{second}", off, version=OURS).status == 200
    assert server.call("DELETE", mine["id"]).status == 409
    on = {"properties": {"accountEnabled": True}}
    assert server.call("PUT", f"{PRINCIPALS}/{second}", on, version=OURS).status == 200
    assert server.call("DELETE", mine["id"]).status == 200
    assert server.call("GET", PRINCIPALS, version=OURS, user="second").status == 200


def test_two_owners_cannot_remove_each_other_at_once(own_server):
    server = own_server
    mine, = owners(server)
    second = server.add_user("rival")
    for _ in range(5):
        theirs = server.assign(second, "Owner", "")
        server.token(user="rival")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            first = pool.submit(server.call, "DELETE", theirs)
            other = pool.submit(server.call, "DELETE", mine["id"], user="rival")
            answers = [first.result().status, other.result().status]
        left = server.call("GET", "/providers/Microsoft.Authorization/roleAssignments", user=ADMIN)
        if left.status != 200:
            left = server.call("GET", "/providers/Microsoft.Authorization/roleAssignments", user="rival")
        assert left.status == 200 and len(left.json["value"]) == 1, answers
        if left.json["value"][0]["id"] == theirs:
            return  # the other one won: there is nobody to go on with


def test_the_password_of_somebody_else_is_not_locked_by_guessing(own_server):
    for _ in range(10):
        own_server.token_request(grant_type="password", username=ADMIN, password="guess")
    assert own_server.token_request(grant_type="password", username=ADMIN, password=PASSWORD).status == 429


def test_secrets_are_in_no_log(own_server):
    server = own_server
    server.stop()
    server.options = (*server.options, "--debug")
    server.start()
    token = server.token_request(grant_type="password", username=ADMIN, password=PASSWORD).json
    enrolment = server.call("POST", f"{server.g}/providers/Microsoft.Security/enrolmentTokens", {}, version=OURS).json
    server.token_request(grant_type="password", username=ADMIN, password="a wrong password that stays secret")
    server.send("POST", "/agent/v1/enroll", json.dumps({"token": enrolment["properties"]["token"]}))
    log = server.log()
    for secret in (PASSWORD, "a wrong password that stays secret", token["access_token"].split(".")[2],
                   token["refresh_token"], enrolment["properties"]["token"]):
        assert secret not in log
    files = b"".join(path.read_bytes() for path in server.state.glob("merlon.db*"))
    for secret in (PASSWORD, token["refresh_token"], enrolment["properties"]["token"]):
        assert secret.encode() not in files


# ---- machines ----

def make_pair(directory, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = __import__("datetime").datetime.utcnow()
    day = __import__("datetime").timedelta(days=1)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
                   .sign(key, hashes.SHA256()))
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


def enrolment_token(server, place=None, uses=1):
    answer = server.call("POST", f"{place or server.g}/providers/Microsoft.Security/enrolmentTokens", version=OURS,
                         body={"properties": {"uses": uses}})
    assert answer.status == 201, answer.body
    return answer.json["properties"]["token"]


def request_for(name):
    """A key and the body of an enrolment but for its token."""
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (x509.CertificateSigningRequestBuilder()
           .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])).sign(key, hashes.SHA256()))
    body = {"csr": csr.public_bytes(serialization.Encoding.PEM).decode(), "name": name, "agentVersion": "1",
            "machineId": secrets.token_hex(32)}
    return key, body


def enroll(server, directory, name, token):
    """The answer, and where certificate and key are."""
    key, body = request_for(name)
    answer = server.send("POST", "/agent/v1/enroll", json.dumps({**body, "token": token}))
    if answer.status != 200:
        return answer, None
    paths = directory / f"{secrets.token_hex(4)}.pem", directory / f"{secrets.token_hex(4)}.key"
    paths[0].write_text(answer.json["certificate"])
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return answer, paths


def beat(server, certificate):
    try:
        return server.send("POST", "/agent/v1/heartbeat", "{}", certificate=certificate).status
    except (OSError, http.client.HTTPException):
        return 401  # one that TLS itself does not take: the key may not sign


def test_one_token_brings_in_one_machine_however_many_come(server, tmp_path):
    token = enrolment_token(server)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: enroll(server, tmp_path, f"racer-{i}", token)[0].status, range(6)))
    assert answers.count(200) == 1 and set(answers) == {200, 401}, answers


def test_a_name_belongs_to_one_machine(server, tmp_path):
    token = enrolment_token(server, uses=10)
    answer, first = enroll(server, tmp_path, "named", token)
    assert answer.status == 200 and beat(server, first) == 200
    for name in ("named", "NAMED"):
        assert enroll(server, tmp_path, name, token)[0].status == 409
    for name in ("", ".", "..", "a/b", "a%2fb", "a b", "a\nb", "é", "a" * 65):
        assert enroll(server, tmp_path, name, token)[0].status == 400, name
    assert beat(server, first) == 200


def test_only_a_machine_s_own_certificate_speaks_for_it(server, tmp_path):
    answer, certificate = enroll(server, tmp_path, "speaker", enrolment_token(server))
    machine = answer.json["machineId"]
    for pair in (make_pair(tmp_path, machine), (server.state / "server.pem", server.state / "server.key"),
                 (server.state / "ca.pem", server.state / "ca.key")):
        assert beat(server, pair) == 401
    authority = x509.load_pem_x509_certificate((server.state / "ca.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())  # an authority of the same name
    forged = make_signed(tmp_path, machine, authority.subject, key)
    assert beat(server, forged) == 401
    real = serialization.load_pem_private_key((server.state / "ca.key").read_bytes(), None)
    assert beat(server, make_signed(tmp_path, machine, authority.subject, real)) == 401  # signed, but not the one in force
    assert beat(server, make_signed(tmp_path, machine, authority.subject, real, usage=False)) == 401
    assert beat(server, certificate) == 200
    assert server.call("GET", "/subscriptions", token="x").status == 401
    assert server.send("GET", f"{server.s}?api-version=2021-04-01", certificate=certificate).status == 401


def make_signed(directory, name, issuer, issuer_key, usage=True):
    datetime = __import__("datetime")
    key = ec.generate_private_key(ec.SECP256R1())
    now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
    builder = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
               .issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - day).not_valid_after(now + day)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]), False)
    name = secrets.token_hex(4)
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    paths[0].write_bytes(builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


def test_a_deleted_machine_does_not_come_back(server, tmp_path):
    answer, certificate = enroll(server, tmp_path, "doomed", enrolment_token(server))
    path = answer.json["resourceId"]
    assert server.call("GET", path).status == 200
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        beats = [pool.submit(beat, server, certificate) for _ in range(12)]
        assert server.call("DELETE", path).status == 200
        assert {b.result() for b in beats} <= {200, 401, 503}
    assert server.call("GET", path).status == 404
    assert beat(server, certificate) == 401
    assert server.call("GET", path).status == 404


def test_a_token_of_one_group_is_not_seen_in_another(server):
    own, other = group(server, "tokens-own"), group(server, "tokens-other")
    enrolment_token(server, own)
    name = server.call("GET", f"{own}/providers/Microsoft.Security/enrolmentTokens", version=OURS).json["value"][0]["name"]
    reader = server.add_user("other-reader")
    server.assign(reader, "Contributor", other)
    listed = f"{other}/providers/Microsoft.Security/enrolmentTokens"
    assert server.call("GET", listed, version=OURS, user="other-reader").json["value"] == []
    assert server.call("GET", f"{listed}/{name}", version=OURS, user="other-reader").status == 404
    assert server.call("DELETE", f"{listed}/{name}", version=OURS, user="other-reader").status == 204
    assert server.call("GET", f"{own}/providers/Microsoft.Security/enrolmentTokens/{name}", version=OURS).json["properties"]["revoked"] is False


# ---- the protocol ----

@pytest.mark.parametrize("host", ["127.0.0.1:1@evil.example", "127.0.0.1:x", "127.0.0.1:1/evil", "[::1]evil.example", "[::1",
                                  "[::1]:8443@evil.example", "evil.example", "127.0.0.1.evil.example", "localhost:99999999",
                                  "localhost:8443,evil.example", ""])
def test_links_name_the_server_only(server, host):
    answer = server.send("GET", "/metadata/endpoints?api-version=2015-01-01", headers={"Host": host})
    assert answer.status == 400 or answer.json["graphEndpoint"] == server.url


def test_links_follow_a_name_of_the_certificate(server):
    for host in ("localhost", "LOCALHOST:7", "[::1]:8443", "127.0.0.1"):
        answer = server.send("GET", "/metadata/endpoints?api-version=2015-01-01", headers={"Host": host})
        assert answer.json["graphEndpoint"] == f"https://{host.lower()}"


SECOND = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLED = {
    "length-and-chunked": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(SECOND)),
    "chunked-and-length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "chunked-twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "odd-chunked": b"Transfer-Encoding: xchunked\r\n\r\n",
    "tab-chunked": b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
    "space-before-colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "two-lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SECOND),
    "two-equal-lengths": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "length-list": b"Content-Length: 0, %d\r\n\r\n" % len(SECOND),
    "length-plus": b"Content-Length: +0\r\n\r\n",
    "length-hex": b"Content-Length: 0x0\r\n\r\n",
    "folded": b"X-Fold: a\r\n Content-Length: 5\r\nContent-Length: +0\r\n\r\n",
    "two-hosts": b"Host: evil.example\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_second_request_is_not_hidden_in_the_first(server, name):
    data = exchange(server, b"POST /adfs/oauth2/token HTTP/1.1\r\nHost: x\r\n" + SMUGGLED[name] + SECOND)
    assert b'{"status":"ok"}' not in data, data
    assert not data or data.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ", b"HTTP/1.1 501 ")), data
    assert serves(server)


def test_expect_is_answered_before_the_body(server):
    for authorization, status in ((f"Authorization: Bearer {server.token()}\r\n", b"100"), ("", b"401")):
        with raw(server) as connection:
            connection.settimeout(10)
            connection.sendall((f"PUT {server.g}?api-version=2021-04-01 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{authorization}"
                                "Expect: 100-continue\r\nContent-Length: 20\r\n\r\n").encode())
            assert connection.recv(65536).split()[1] == status


def test_old_http_and_pipelines_are_answered_in_order(server):
    data = exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert data.startswith(b"HTTP/1.") and data.endswith(b'{"status":"ok"}')
    first = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    data = exchange(server, first + SECOND + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [part[9:12] for part in data.split(b"HTTP/1.1")[1:]] != [] and data.count(b'{"status":"ok"}') == 2


@pytest.mark.parametrize("path", ["/subscriptions/%c0%af", "/subscriptions/%e0%80%af", "/subscriptions/%ed%a0%80", "/%00",
                                  "/subscriptions/..%2f..%2f", "/subscriptions/%2e%2e/x", "/subscriptions//x", "/ui/..%2f..%2fserver.key",
                                  "/ui/%2e%2e/server.key", "/adfs/%0d%0aX:%20y", "/subscriptions/%", "/subscriptions/%zz"])
def test_paths_that_try_to_be_two_things(server, path):
    answer = server.call("GET", path)
    assert answer.status in (400, 403, 404), answer.body
    assert b"PRIVATE KEY" not in answer.body


def test_no_header_is_written_by_the_client(server):
    for value in ("a\tb", "a\x01b", "é", "a" * 129, " "):
        answer = server.send("GET", "/healthz", headers={"x-ms-client-request-id": value.encode()})
        assert answer.status == 200 and "x-ms-client-request-id" not in answer.headers
    answer = server.send("GET", "/healthz", headers={"x-ms-client-request-id": "plain-1"})
    assert answer.headers["x-ms-client-request-id"] == "plain-1"


JSON_BOMBS = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep-objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "many-members": "{" + ",".join(f'"{i}":0' for i in range(60_000)) + "}",
    "many-items": "[" + "0," * 500_000 + "0]",
    "same-member": "{" + ",".join(['"properties":{}'] * 50_000) + "}",
    "huge-number": '{"properties":' + "9" * 100_000 + "}",
    "surrogates": '{"properties":"' + "\\ud800" * 1000 + '"}',
    "nul": '{"location":"local\\u0000x"}',
}


@pytest.mark.parametrize("name", JSON_BOMBS)
def test_bodies_that_swell(server, name):
    answer = server.call("PUT", f"{server.s}/resourceGroups/bombed", JSON_BOMBS[name])
    assert answer.status in (400, 413), answer.body[:200]
    assert serves(server)


@pytest.mark.parametrize("query", ["$top=0", "$top=-1", "$top=99999999999999999999", "$top=1e3", "$skipToken=%00", "$skipToken=*",
                                   "$skipToken=" + "A" * 4000])
def test_pages_that_are_none(server, query):
    for path in (f"{server.s}/resources", f"{server.s}/resourceGroups", f"{server.s}/providers/Microsoft.Security/assessments",
                 f"{server.s}/providers/Microsoft.Insights/eventtypes/management/values"):
        assert server.call("GET", f"{path}?{query}").status in (200, 400)


@pytest.mark.parametrize("options", [{"$skip": 2**63 - 1}, {"$skip": -1}, {"$top": 0}, {"$top": 2**62}, {"$skipToken": "-5"},
                                     {"$skipToken": "9223372036854775807"}, {"$skipToken": "9" * 40}, {"$skipToken": {}}])
def test_windows_that_are_none(server, options):
    answer = graph(server, "resources", options=options)
    assert answer.status in (200, 400) and serves(server)


def test_an_etag_decides_a_race(server):
    path = f"{group(server, 'etags')}/providers/Contoso.Race/things/t"
    etag = server.call("PUT", path, THING).headers["etag"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: server.call("PUT", path, {"location": "local", "properties": {"size": 2 + i}},
                                                      headers={"If-Match": etag}).status, range(6)))
    assert answers.count(200) == 1 and answers.count(412) == 5
    assert server.call("DELETE", path).status == 200


def test_what_needs_no_body_gets_no_room_for_one(server):
    for method, path in (("GET", "/healthz"), ("DELETE", "/ui/session"), ("GET", "/adfs/oauth2/authorize")):
        data = exchange(server, f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode())
        assert data.startswith(b"HTTP/1.1 413 "), data


def test_bodies_that_never_come_take_no_room(server):
    path = f"{group(server, 'hogged')}/providers/Contoso.Hog/things/t?api-version=1"
    head_of = (f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {server.token()}\r\n"
               f"Content-Length: {8 << 20}\r\nExpect: 100-continue\r\n\r\n").encode()
    held = []
    try:
        for _ in range(64):  # together twice what the server may hold
            held.append(raw(server))
            held[-1].sendall(head_of)
            assert b"100 Continue" in held[-1].recv(4096)
        assert server.call("PUT", f"{server.s}/resourceGroups/hogged", {"location": "local"}).status == 200
    finally:
        for connection in held:
            connection.close()


def test_large_resources_make_short_pages(server):
    place = f"{group(server, 'large')}/providers/Contoso.Large/things"
    body = {"properties": {"text": "x" * (6 << 20)}}
    for i in range(8):
        assert server.call("PUT", f"{place}/t{i}", body).status == 201
    names, path = [], f"{place}?api-version=1"
    while path:
        answer = server.call("GET", path, version=None)
        assert answer.status == 200, answer.body[:300]
        names += [item["name"] for item in answer.json["value"]]
        path = answer.json.get("nextLink", "").removeprefix(server.url)
    assert names == [f"t{i}" for i in range(8)]
    for i in range(8):
        assert server.call("DELETE", f"{place}/t{i}").status == 200


def test_one_swollen_resource_does_not_stop_queries(server):
    path = f"{group(server, 'swollen')}/providers/Contoso.Swell/things/t"
    body = '{"properties":{"a":[' + "0," * 2_500_000 + "0]}}"
    assert server.call("PUT", path, body).status == 201
    answer = graph(server, "resources | where type == 'contoso.swell/things' | project id")
    assert answer.status == 200 and len(answer.json["data"]) == 1, answer.body[:300]
    assert server.call("DELETE", path).status == 200


# ---- the record ----

def entries(server, scope):
    query = urllib.parse.quote(f"resourceUri eq '{scope}'")
    path = f"{server.s}/providers/Microsoft.Insights/eventtypes/management/values?$filter={query}"
    return [(e["operationName"]["value"], e["status"]["value"]) for e in server.call("GET", path, version="2015-04-01").json["value"]]


def test_a_change_is_announced_before_it_is_made(server):
    path = f"{group(server, 'announced')}/providers/Contoso.Record/things/t"
    assert server.call("PUT", path, THING).status == 201
    assert entries(server, path) == [("Contoso.Record/things/write", "Succeeded"), ("Contoso.Record/things/write", "Started")]
    assert server.call("PUT", path, "{").status == 400
    assert entries(server, path)[:1] == [("Contoso.Record/things/write", "Failed")]
    assert server.call("DELETE", path).status == 200
    assert entries(server, path)[:2] == [("Contoso.Record/things/delete", "Succeeded"), ("Contoso.Record/things/delete", "Started")]


def test_many_writers_leave_one_chain(server):
    place = group(server, "chained")
    before = head(server)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: server.call("PUT", f"{place}/providers/Contoso.Chain/things/t{i}", THING).status, range(40)))
    assert made == [201] * 40
    assert head(server) >= before + 40


def test_a_kill_between_change_and_entry_leaves_a_trace(own_server):
    server = own_server
    place = group(server, "killed")
    for round_number in range(3):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            token = server.token()
            for i in range(30):
                pool.submit(server.call, "PUT", f"{place}/providers/Contoso.Kill/things/r{round_number}-{i}", THING, token=token)
            time.sleep(0.15)
            server.process.kill()
            server.process.wait()
        server.process.stdout.close()
        server.start()
        assert head(server) > 0
        stored = {item["id"] for item in server.call("GET", f"{place}/providers/Contoso.Kill/things").json["value"]}
        assert all(entries(server, path) for path in stored)


# ---- ending ----

def test_what_was_asked_before_the_end_is_answered(own_server):
    server, path = own_server, f"{group(own_server, 'ending')}/providers/Contoso.End/things"
    token, connections = server.token(), [server.connect() for _ in range(24)]
    for connection in connections:
        connection.connect()
    for i, connection in enumerate(connections):
        connection.request("PUT", f"{path}/t{i}?api-version=1", json.dumps(THING), {"Authorization": f"Bearer {token}"})
    server.process.send_signal(signal.SIGTERM)
    answered = 0
    for connection in connections:
        try:
            answered += connection.getresponse().status == 201
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
    assert server.stop() == 0
    server.start()
    stored = server.call("GET", path).json["value"]
    assert answered == len(stored)


# ---- running out ----

def test_too_many_connections_stop_nobody_for_good(own_server):
    server = own_server
    soft = 96
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, soft))
    held = []
    for _ in range(2 * soft):
        try:
            held.append(raw(server))
        except OSError:
            break
    for connection in held:
        connection.close()
    for _ in range(100):
        try:
            if serves(server):
                break
        except OSError:
            pass
        time.sleep(0.2)
    assert serves(server)
    assert server.call("PUT", f"{server.s}/resourceGroups/after", {"location": "local"}).status == 201
    assert head(server) > 0
