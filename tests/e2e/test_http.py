"""What the server answers to requests that are not as they should be, and that it goes on serving."""

import base64
import json
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

import datetime

pytestmark = pytest.mark.fast


def serves(server):
    answer = server.send("GET", "/healthz")
    return answer.status == 200 and answer.json == {"status": "ok"}


def raw(server):
    """A TLS connection to write bytes to."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    return server.context().wrap_socket(plain, server_hostname="127.0.0.1")


def read_all(connection):
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except (ConnectionResetError, ssl.SSLError):
        pass
    return data


# ---- headers and forms of answers ----

def test_every_answer_has_its_headers(server):
    answer = server.send("GET", "/healthz", headers={"x-ms-client-request-id": "mine-1"})
    assert answer.headers["x-ms-request-id"] == answer.headers["x-ms-correlation-request-id"]
    assert answer.headers["x-ms-client-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "date" in answer.headers


def test_head_is_get_without_a_body(server):
    answer = server.send("HEAD", "/healthz")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "15"


def test_without_a_token(server):
    answer = server.send("GET", f"{server.s}?api-version=2021-04-01")
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    expected = f'Bearer authorization_uri="{server.url}/adfs", error="invalid_token", error_description="'
    assert answer.headers["www-authenticate"].startswith(expected)


def test_an_unknown_path_tells_strangers_nothing(server):
    assert server.send("GET", f"{server.s}/providers/Microsoft.Security/none?api-version=1").status == 401
    assert server.send("GET", "/nothing").status == 404


def test_a_missing_api_version(server):
    answer = server.call("GET", server.s, version=None)
    assert (answer.status, answer.code) == (400, "MissingApiVersionParameter")


def test_the_wrong_method(server):
    answer = server.call("DELETE", f"{server.s}/locations")
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "MethodNotAllowed", "GET, HEAD")
    assert server.send("BREW", "/healthz").status == 501


@pytest.mark.parametrize("path, status, code", [
    ("{s}/providers/Microsoft.Security/nothing", 404, "InvalidResourceType"),
    ("{g}/providers/Microsoft.Security/nothing/x", 404, "InvalidResourceType"),
    ("/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups", 404, "SubscriptionNotFound"),
    ("{s}/resourceGroups/none", 404, "ResourceGroupNotFound"),
    ("{s}/resourceGroups/none/providers/Contoso.Any/things/x", 404, "ResourceGroupNotFound"),
    ("{g}/providers/Contoso.Any/things/x", 404, "ResourceNotFound"),
    ("{s}/../..", 400, "InvalidRequestContent"),
    ("{s}/%2e%2e/x", 400, "InvalidRequestContent"),
    ("{s}//resourceGroups", 400, "InvalidRequestContent"),
    ("{s}/%00", 400, "InvalidRequestContent"),
    ("{s}/%ff", 400, "InvalidRequestContent"),
    ("{s}/%zz", 400, "InvalidRequestContent"),
    ("{s}/resourceGroups?$top=0", 400, "InvalidParameter"),
    ("{s}/resourceGroups?$skipToken=!", 400, "InvalidParameter"),
    ("/subscriptions" + "/x" * 60, 413, "RequestEntityTooLarge"),
    ("/subscriptions/" + "x" * 9000, 413, "RequestEntityTooLarge"),
])
def test_paths(server, path, status, code):
    answer = server.call("GET", path.format(s=server.s, g=server.g))
    assert (answer.status, answer.code) == (status, code)


def test_slashes_and_case_do_not_matter(server):
    answer = server.call("GET", f"//SUBSCRIPTIONS/{server.subscription}/ResourceGroups/DEFAULT/")
    assert answer.status == 200


# ---- bodies ----

@pytest.mark.parametrize("body, status", [
    (b"", 400),
    (b"{", 400),
    (b'{"location":"local"', 400),
    (b'{"location":"local"} x', 400),
    (b'{"location":"\xff"}', 400),
    (b"[]", 400),
    (b'"text"', 400),
    (b"[" * 100_000, 413),
    (b'{"a":' * 500 + b"1" + b"}" * 500, 413),
    (b" " * (1 << 20) + b"{}", 413),
], ids=["empty", "open", "cut", "trailing", "not-utf8", "array", "string", "deep-array", "deep-object", "large"])
def test_bodies_that_are_not_right(server, body, status):
    answer = server.call("PUT", f"{server.s}/resourceGroups/bad", body=body)
    assert answer.status == status, answer.body
    assert "error" in answer.json
    assert serves(server)


def test_a_huge_body_is_refused_before_it_is_sent(server):
    with raw(server) as connection:
        connection.sendall((f"PUT {server.g}?api-version=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                            f"Authorization: Bearer {server.token()}\r\nContent-Length: 1000000000\r\n\r\n").encode())
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_is_not_taken_from_strangers(server):
    with raw(server) as connection:
        connection.sendall((f"PUT {server.g}?api-version=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                            "Content-Length: 1000000\r\n\r\n").encode())
        assert read_all(connection).startswith(b"HTTP/1.1 401 ")


def test_a_chunked_body_is_refused(server):
    with raw(server) as connection:
        connection.sendall((f"PUT {server.g}?api-version=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                            f"Authorization: Bearer {server.token()}\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "2\r\n{}\r\n0\r\n\r\n").encode())
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


HARDLY_HTTP = {
    "version": b"GET / HTTP/9.9\r\n\r\n",
    "binary": b"\x00\x01\x02\x03\r\n\r\n",
    "absolute": b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "many-headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n",
    "long-header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
    "header-not-utf8": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \xff\xfe\r\n\r\n",
    "negative-length": b"POST /adfs/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "huge-length": b"POST /adfs/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
}


@pytest.mark.parametrize("name", HARDLY_HTTP)
def test_what_is_hardly_http(server, name):
    """An error or the end of the connection, nothing else; a client that waits for more gets its deadline."""
    with raw(server) as connection:
        connection.settimeout(5)
        try:
            connection.sendall(HARDLY_HTTP[name])
            data = connection.recv(65536)
        except (OSError, ssl.SSLError):
            data = b""
    assert not data or int(data.split(b" ", 2)[1]) >= 400
    assert serves(server)


def test_one_connection_serves_many_requests(server):
    connection = server.connect()
    for target, status in (("/healthz", 200), (f"{server.s}?api-version=1", 401), ("/none", 404), ("/healthz", 200)):
        connection.request("GET", target)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert response.getheader("Connection") != "close"
    connection.close()


# ---- slow and many clients ----

def test_slow_clients_are_cut_off_and_others_are_served(own_server):
    slow = []
    for _ in range(40):
        connection = raw(own_server)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        slow.append(connection)
    plain = [socket.create_connection(("127.0.0.1", own_server.port)) for _ in range(20)]  # never say a word
    deadline = time.monotonic() + 30
    alive = True
    while alive and time.monotonic() < deadline:
        assert serves(own_server)
        alive = False
        for connection in slow:
            try:
                connection.sendall(b"a")  # a byte now and then keeps no connection
                alive = True
            except OSError:
                pass
        time.sleep(0.2)
    assert not alive
    for connection in slow + plain:
        connection.close()


def test_a_slow_body_is_cut_off(own_server):
    with raw(own_server) as connection:
        connection.sendall((f"POST /adfs/oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:{own_server.port}\r\n"
                            "Content-Length: 100\r\n\r\nclient_id=").encode())
        connection.settimeout(30)
        assert not read_all(connection).startswith(b"HTTP/1.1 200")
    assert serves(own_server)


# ---- TLS and certificates ----

def test_old_tls_is_refused(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server.ca)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert serves(server)


def test_plain_http_gets_nothing(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1 200" not in read_all(plain)
    assert serves(server)


def make_certificate(directory, issuer=None, issuer_key=None, days=1):
    """A client certificate of this issuer, or self-signed: paths of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "00000000-0000-4000-8000-000000000000")])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer.subject if issuer else name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]), False)
                   .sign(issuer_key or key, hashes.SHA256()))
    paths = directory / "client.pem", directory / "client.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


def test_machines_need_a_certificate_of_ours(server, tmp_path):
    assert server.send("POST", "/agent/v1/heartbeat", "{}").status == 401
    assert server.send("POST", "/agent/v1/heartbeat", "{}", certificate=make_certificate(tmp_path)).status == 401
    authority = x509.load_pem_x509_certificate((server.state / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((server.state / "ca.key").read_bytes(), None)
    for days in (-1, 1):  # expired; good, but of no machine that is enrolled
        certificate = make_certificate(tmp_path, authority, key, days)
        assert server.send("POST", "/agent/v1/heartbeat", "{}", certificate=certificate).status == 401
    assert server.send("GET", "/healthz", certificate=make_certificate(tmp_path)).status == 200
    assert serves(server)


# ---- tokens ----

def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpart(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(header, claims, key):
    signed = f"{header}.{part(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_forged_and_expired_tokens(server):
    header, claims_part, signature = server.token().split(".")
    claims = json.loads(unpart(claims_part))
    own = serialization.load_pem_private_key(next((server.state / "token-keys").iterdir()).read_bytes(), None)
    other = ec.generate_private_key(ec.SECP256R1())
    now = int(time.time())

    def ask(token):
        answer = server.call("GET", server.s, token=token)
        return answer.status, answer.code if answer.status != 200 else None

    invalid = (401, "InvalidAuthenticationToken")
    assert ask(sign(header, claims, own)) == (200, None)  # the test can make good ones
    assert ask(sign(header, {**claims, "exp": now - 1}, own)) == (401, "ExpiredAuthenticationToken")
    assert ask(sign(header, {**claims, "nbf": now + 3600}, own)) == invalid
    assert ask(sign(header, {**claims, "aud": "urn:merlon:other"}, own)) == invalid
    assert ask(sign(header, {**claims, "gen": 99}, own)) == invalid
    assert ask(sign(header, {**claims, "sub": "00000000-0000-4000-8000-000000000000"}, own)) == invalid
    assert ask(sign(header, claims, other)) == invalid
    none = part(b'{"alg":"none","typ":"JWT"}')
    for bad in (f"{none}.{claims_part}.", f"{none}.{claims_part}.{signature}", f"{header}.{claims_part}.{signature[:-4]}AAAA",
                f"{header}.{claims_part}", "", "x", "a.b.c", "." * 100, "x" * 20_000):
        assert ask(bad or "-") == invalid
    assert server.send("GET", f"{server.s}?api-version=1", headers={"Authorization": "Basic eDp5"}).status == 401


# ---- the process ----

def test_a_second_server_on_the_same_state_is_refused(server):
    done = server.command("reset-password", check=False)
    assert done.returncode == 1
    assert "another merlond uses" in done.stderr


def test_a_restart_keeps_keys_and_data(own_server):
    token = own_server.token()
    assert own_server.call("PUT", f"{own_server.s}/resourceGroups/kept", body={"location": "local"}).status == 201
    certificate = (own_server.state / "server.pem").read_bytes()
    assert own_server.stop() == 0
    own_server.start()
    assert (own_server.state / "server.pem").read_bytes() == certificate
    assert own_server.call("GET", f"{own_server.s}/resourceGroups/kept", token=token).status == 200


def test_a_killed_server_comes_back(own_server):
    assert own_server.call("PUT", f"{own_server.s}/resourceGroups/kept", body={"location": "local"}).status == 201
    own_server.process.kill()
    own_server.process.wait()
    own_server.start()
    assert own_server.call("GET", f"{own_server.s}/resourceGroups/kept").status == 200


def test_keys_are_for_the_server_alone(server):
    assert server.state.stat().st_mode & 0o777 == 0o700
    for path in [server.state / "ca.key", server.state / "server.key", *(server.state / "token-keys").iterdir()]:
        assert path.stat().st_mode & 0o777 == 0o600
