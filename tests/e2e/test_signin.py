"""Signing in, in every way that there is."""

import base64
import datetime
import hashlib
import json
import secrets
import time
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from conftest import ADMIN, AZ_CLIENT, PASSWORD
from pages import Browser

pytestmark = pytest.mark.fast


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


# ---- discovery ----

@pytest.mark.parametrize("path", ["/adfs/.well-known/openid-configuration", "/adfs/contoso/.well-known/openid-configuration"])
def test_discovery(server, path):
    document = server.send("GET", path).json
    assert document["issuer"] == f"{server.url}/adfs"
    assert document["token_endpoint"] == f"{server.url}/adfs/oauth2/token"
    assert document["device_authorization_endpoint"] == f"{server.url}/adfs/oauth2/devicecode"
    keys = server.send("GET", urllib.parse.urlsplit(document["jwks_uri"]).path).json["keys"]
    assert keys[0]["crv"] == "P-256" and "d" not in keys[0]


def test_metadata(server):
    old = server.send("GET", "/metadata/endpoints?api-version=2015-01-01").json
    assert old["authentication"] == {"loginEndpoint": f"{server.url}/adfs", "audiences": [server.url]}
    new = server.send("GET", "/metadata/endpoints?api-version=2022-09-01").json
    assert new[0]["resourceManager"] == server.url
    assert new[0]["authentication"]["identityProvider"] == "ADFS"


def test_addresses_follow_the_name_that_the_client_used(server):
    port = server.port
    known = server.send("GET", "/metadata/endpoints?api-version=2015-01-01", headers={"Host": f"localhost:{port}"}).json
    assert known["graphEndpoint"] == f"https://localhost:{port}"
    unknown = server.send("GET", "/metadata/endpoints?api-version=2015-01-01", headers={"Host": "evil.example"}).json
    assert unknown["graphEndpoint"] == server.url


# ---- passwords and refresh tokens ----

def test_a_user_signs_in(server):
    answer = server.token_request(grant_type="password", username="ADMIN", password=PASSWORD)
    assert answer.status == 200
    tokens = answer.json
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3600
    claims = claims_of(tokens["id_token"])
    assert claims["aud"] == AZ_CLIENT and claims["upn"] == ADMIN and claims["tid"] == server.tenant
    assert claims["iss"] == f"{server.url}/adfs"
    again = server.token_request(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.status == 200 and again.json["refresh_token"] != tokens["refresh_token"]
    assert server.call("GET", "/subscriptions", token=again.json["access_token"]).status == 200


@pytest.mark.parametrize("fields, status, error", [
    ({"grant_type": "password", "username": ADMIN, "password": "wrong"}, 400, "invalid_grant"),
    ({"grant_type": "password", "username": "nobody", "password": PASSWORD}, 400, "invalid_grant"),
    ({"grant_type": "refresh_token", "refresh_token": "garbage"}, 400, "invalid_grant"),
    ({"grant_type": "authorization_code", "code": "garbage"}, 400, "invalid_grant"),
    ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "garbage"}, 400, "expired_token"),
    ({"grant_type": "client_credentials", "client_secret": "garbage"}, 401, "invalid_client"),
    ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
    ({}, 400, "unsupported_grant_type"),
    ({"client_id": "", "grant_type": "password"}, 400, "invalid_request"),
])
def test_refusals(server, fields, status, error):
    answer = server.token_request(**fields)
    assert (answer.status, answer.json["error"]) == (status, error)


def test_guessing_is_stopped(own_server):
    for _ in range(10):
        assert own_server.token_request(grant_type="password", username=ADMIN, password="guess").status == 400
    answer = own_server.token_request(grant_type="password", username=ADMIN, password=PASSWORD)
    assert answer.status == 429 and answer.headers["retry-after"]
    assert "sign-in from 127.0.0.1 refused" in own_server.log() and "guess" not in own_server.log()


# ---- service principals ----

@pytest.fixture
def robot(server):
    """A service principal that reads the subscription: its id."""
    principal = f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}"
    answer = server.call("PUT", f"/providers/Microsoft.Security/principals/{principal}", version="2026-11-01",
                         body={"properties": {"principalType": "ServicePrincipal", "appDisplayName": "robot"}})
    assert answer.status == 201, answer.body
    server.assign(principal, "Reader", server.s)
    return principal


def test_a_service_principal_by_secret(server, robot):
    made = server.call("POST", f"/providers/Microsoft.Security/principals/{robot}/addSecret", version="2026-11-01").json
    answer = server.token_request(client_id=robot, grant_type="client_credentials", client_secret=made["clientSecret"])
    assert answer.status == 200 and "refresh_token" not in answer.json
    token = answer.json["access_token"]
    assert server.call("GET", f"{server.s}/resourceGroups", token=token).status == 200
    refused = server.call("PUT", f"{server.s}/resourceGroups/no", body={"location": "local"}, token=token)
    assert (refused.status, refused.code) == (403, "AuthorizationFailed")
    shown = server.call("GET", f"/providers/Microsoft.Security/principals/{robot}", version="2026-11-01")
    assert made["clientSecret"] not in shown.body.decode() and "scrypt" not in shown.body.decode()
    gone = server.call("DELETE", f"/providers/Microsoft.Security/principals/{robot}/secrets/{made['secretId']}",
                       version="2026-11-01")
    assert gone.status == 200
    assert server.call("GET", f"{server.s}/resourceGroups", token=token).status == 401


def client_certificate(days=30):
    """An RSA certificate as az makes them: (PEM, key, SHA-1 of the DER)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "robot")])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=60))
                   .not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
    return (certificate.public_bytes(serialization.Encoding.PEM).decode(), key, certificate.fingerprint(hashes.SHA1()))


def assertion(server, robot, key, thumbprint, **changes):
    header = {"alg": "RS256", "typ": "JWT", "x5t": base64.urlsafe_b64encode(thumbprint).decode()}
    claims = {"aud": f"{server.url}/adfs/oauth2/token", "iss": robot, "sub": robot, "exp": time.time() + 600,
              "iat": time.time(), "jti": secrets.token_hex(16), **changes}
    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def by_assertion(server, robot, text):
    return server.token_request(client_id=robot, grant_type="client_credentials", client_assertion=text,
                                client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")


def test_a_service_principal_by_certificate(server, robot):
    pem, key, thumbprint = client_certificate()
    path = f"/providers/Microsoft.Security/principals/{robot}"
    answer = server.call("PUT", path, version="2026-11-01", body={"properties": {"certificates": [pem]}})
    assert answer.json["properties"]["certificates"][0]["thumbprint"] == thumbprint.hex().upper()
    once = assertion(server, robot, key, thumbprint)
    assert by_assertion(server, robot, once).status == 200
    assert by_assertion(server, robot, once).status == 401  # replayed
    _, other_key, other_thumbprint = client_certificate()
    for bad in (assertion(server, robot, other_key, thumbprint), assertion(server, robot, other_key, other_thumbprint),
                assertion(server, robot, key, thumbprint, exp=time.time() - 1),
                assertion(server, robot, key, thumbprint, aud="https://elsewhere/token"), "a.b.c", ""):
        assert by_assertion(server, robot, bad).status == 401


def test_an_expired_certificate(server, robot):
    pem, key, thumbprint = client_certificate(days=-1)
    server.call("PUT", f"/providers/Microsoft.Security/principals/{robot}", version="2026-11-01",
                body={"properties": {"certificates": [pem]}})
    assert by_assertion(server, robot, assertion(server, robot, key, thumbprint)).status == 401


# ---- pages ----

def test_the_console_sign_in_gives_a_session(server):
    browser = Browser(server)
    browser.get("/ui/signin")
    assert browser.sign_in("wrong password").status == 401
    answer = browser.sign_in()
    assert (answer.status, answer.headers["location"]) == (303, "/ui/")
    cookie = {"Cookie": f"__Host-merlon={browser.cookies['__Host-merlon']}"}
    path = f"{server.s}/resourceGroups?api-version=2021-04-01"
    assert server.send("GET", path, headers=cookie).status == 200
    assert server.send("GET", "/ui/session", headers=cookie).json["name"] == ADMIN
    group = f"{server.s}/resourceGroups/by-cookie?api-version=2021-04-01"
    ours = {"X-Merlon-Request": "1", "Sec-Fetch-Site": "same-origin"}
    for missing in ({}, {"X-Merlon-Request": "1"}, {"Sec-Fetch-Site": "same-origin"},
                    {**ours, "Sec-Fetch-Site": "cross-site"}):
        assert server.send("PUT", group, '{"location":"local"}', {**cookie, **missing}).status == 401
    assert server.send("PUT", group, '{"location":"local"}', {**cookie, **ours}).status == 201
    assert server.send("DELETE", group, headers={**cookie, **ours}).status == 202
    assert browser.get("/ui/signin").status == 303
    assert server.send("POST", "/ui/signout", headers=cookie).status == 303
    assert server.send("GET", path, headers=cookie).status == 401


def test_forms_of_other_sites_are_refused(server):
    browser = Browser(server)
    browser.get("/ui/signin")
    assert browser.sign_in.__self__.submit({"Sec-Fetch-Site": "cross-site"}, username=ADMIN, password=PASSWORD,
                                           step="signin").status == 401
    assert browser.submit(username=ADMIN, password=PASSWORD, step="signin", form_token="guess").status == 401
    assert "__Host-merlon" not in browser.cookies


def test_the_session_call_needs_our_page(server):
    body = json.dumps({"user": ADMIN, "password": PASSWORD})
    assert server.send("POST", "/ui/session", body).status == 403
    answer = server.send("POST", "/ui/session", body, {"X-Merlon-Request": "1", "Sec-Fetch-Site": "same-origin"})
    assert answer.status == 200 and answer.json["name"] == ADMIN
    assert answer.headers["set-cookie"].startswith("__Host-merlon=")


def authorize_path(verifier, **changes):
    challenge = part(hashlib.sha256(verifier.encode()).digest())
    fields = {"client_id": AZ_CLIENT, "response_type": "code", "redirect_uri": "http://localhost:8400", "state": "st&1",
              "code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n-1", **changes}
    return "/adfs/oauth2/authorize?" + urllib.parse.urlencode(fields)


def redeem(server, answer, verifier):
    location = urllib.parse.urlsplit(answer.headers["location"])
    query = dict(urllib.parse.parse_qsl(location.query))
    assert location.netloc == "localhost:8400" and query["state"] == "st&1"
    return server.token_request(grant_type="authorization_code", code=query["code"], code_verifier=verifier,
                                redirect_uri="http://localhost:8400")


def test_a_program_signs_in_through_the_browser(server):
    browser, verifier = Browser(server), secrets.token_urlsafe(48)
    browser.get(authorize_path(verifier))
    answer = browser.sign_in()
    assert answer.status == 302
    tokens = redeem(server, answer, verifier)
    assert tokens.status == 200 and claims_of(tokens.json["id_token"])["nonce"] == "n-1"
    browser.get(authorize_path(verifier))  # signed in already: asked only whether
    assert b"Azure CLI" in browser.page.body
    assert redeem(server, browser.submit(step="allow"), verifier).status == 200
    browser.get(authorize_path(verifier))
    assert "error=access_denied" in browser.submit(step="cancel").headers["location"]
    browser.get(authorize_path(verifier, response_mode="form_post"))
    page = browser.submit(step="allow").body.decode()
    assert 'action="http://localhost:8400"' in page and 'name="code"' in page


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/"}, {"redirect_uri": "http://localhost.evil/"},
                                     {"code_challenge": ""}, {"code_challenge_method": "plain"},
                                     {"response_type": "token"}, {"client_id": ""}])
def test_nobody_is_sent_elsewhere(server, changes):
    answer = Browser(server).get(authorize_path("v" * 43, **changes))
    assert answer.status == 400 and "location" not in answer.headers


def start_device(server):
    answer = server.form("/adfs/oauth2/devicecode", {"client_id": AZ_CLIENT, "scope": "x"}).json
    assert answer["user_code"] in answer["message"] and answer["verification_uri"] in answer["message"]
    return answer


def poll(server, device):
    return server.token_request(grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=device["device_code"])


@pytest.mark.parametrize("step, error", [("allow", None), ("deny", "access_denied")])
def test_a_device_is_connected_by_its_code(server, step, error):
    device, browser = start_device(server), Browser(server)
    assert poll(server, device).json["error"] == "authorization_pending"
    browser.get("/adfs/oauth2/deviceauth")
    browser.sign_in()
    assert b"no such code" in browser.submit(user_code="BBBB-BBBB", step="find").body
    browser.submit(user_code=device["user_code"].lower(), step="find")
    assert b"Azure CLI" in browser.page.body
    assert browser.submit(step=step).status == 200
    answer = poll(server, device)
    if error:
        assert answer.json["error"] == error
    else:
        assert server.call("GET", "/tenants", token=answer.json["access_token"]).json["value"][0]["tenantId"] == server.tenant
    assert poll(server, device).json["error"] == "expired_token"


# ---- the console's files ----

def test_the_console_is_served_with_its_policy(server):
    page = server.send("GET", "/ui/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy and "trusted-types merlon" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    cached = server.send("GET", "/ui/", headers={"If-None-Match": page.headers["etag"]})
    assert (cached.status, cached.body) == (304, b"")
    packed = server.send("GET", "/ui/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and len(packed.body) < len(page.body)
    assert server.send("GET", "/").headers["location"] == "/ui/"
    assert server.send("GET", "/ui/score").body == page.body
    assert server.send("GET", "/ui/none.js").status == 404
    assert server.send("GET", "/ui/%2e%2e/etc").status == 400
