"""A merlond of its own for the tests: a free port, a temporary state directory, an administrator, a client."""

import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(os.environ.get("MLN_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MLN_BUILD", ROOT / "build"))
MERLOND = BUILD / "src/merlond/merlond"
START_TIMEOUT_S = 120
ADMIN, PASSWORD = "admin", "the password of the tests"
AZ_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class Answer:
    """Status, headers (a dict by lower-case name) and body of one exchange."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.all_headers = response.getheaders()
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code word of an ARM error."""
        return self.json["error"]["code"]


class Server:
    """One merlond and what a client of it needs."""

    def __init__(self, directory, *options):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.log_path = self.directory / "log"
        self.options = options
        self.process = None
        self.tokens = {}

    def command(self, name, *options, check=True):
        """Runs a command on the stopped server's state; gives what it printed."""
        command = [MERLOND, name, "--state", self.state, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False)
        if check and done.returncode:
            raise AssertionError(f"merlond {name}: {done.stderr}")
        return done

    def init(self):
        password_file = self.directory / "password"
        password_file.write_text(PASSWORD + "\n")
        self.command("init", "--admin", ADMIN, "--password-file", password_file)

    def start(self, host="127.0.0.1"):
        """host: what the ready line must name; None: whatever it is, the tests go to 127.0.0.1 then."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [MERLOND, "run", "--state", self.state, "--listen", "127.0.0.1:0", "--content", ROOT / "content", *self.options],
            stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        log.close()
        line = self.process.stdout.readline().decode()
        assert line.startswith(f"ready https://{host or ''}"), f"{line!r}\n{self.log()}"
        self.url = line.split()[1]
        self.port = urllib.parse.urlsplit(self.url).port
        self.ca = str(self.state / "ca.pem")
        identity = json.loads((self.state / "server.json").read_text())
        self.tenant, self.subscription = identity["tenantId"], identity["subscriptionId"]
        self.s = f"/subscriptions/{self.subscription}"
        self.g = f"{self.s}/resourceGroups/default"
        return self

    def stop(self):
        """Ends it as an operator does; gives its exit status."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise
        status = self.process.returncode if self.process else 0
        if self.process:
            self.process.stdout.close()
        self.process = None
        return status

    def log(self):
        return self.log_path.read_text(errors="replace")

    def context(self, certificate=None):
        context = ssl.create_default_context(cafile=self.ca)
        if certificate:
            context.load_cert_chain(*certificate)
        return context

    def connect(self, certificate=None, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context(certificate), timeout=timeout)

    def send(self, method, target, body=None, headers=None, certificate=None):
        """One exchange on a connection of its own, nothing added."""
        connection = self.connect(certificate)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def form(self, path, fields, headers=None):
        body = urllib.parse.urlencode(fields)
        return self.send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def token_request(self, **fields):
        return self.form("/adfs/oauth2/token", {"client_id": AZ_CLIENT, "scope": f"{self.url}/.default", **fields})

    def token(self, user=ADMIN, password=PASSWORD):
        """A cached access token of a user."""
        if user not in self.tokens:
            answer = self.token_request(grant_type="password", username=user, password=password)
            assert answer.status == 200, answer.body
            self.tokens[user] = answer.json["access_token"]
        return self.tokens[user]

    def call(self, method, path, body=None, version="2021-04-01", user=ADMIN, password=PASSWORD, token=None, headers=None):
        """One call of the API: bearer token, api-version, JSON."""
        separator = "&" if "?" in path else "?"
        target = f"{path}{separator}api-version={version}" if version else path
        sent = {"Authorization": f"Bearer {token or self.token(user, password)}", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.send(method, target, body, sent)

    def add_user(self, name, password=PASSWORD):
        """A user without any role; gives its id."""
        principal = f"{abs(hash(name)) % 16**8:08x}-0000-4000-8000-{time.monotonic_ns() % 16**12:012x}"
        answer = self.call("PUT", f"/providers/Microsoft.Security/principals/{principal}", version="2026-11-01",
                           body={"properties": {"principalType": "User", "userName": name, "password": password}})
        assert answer.status == 201, answer.body
        return principal

    def assign(self, principal, role, scope):
        """Gives a role by name."""
        roles = self.call("GET", f"/providers/Microsoft.Authorization/roleDefinitions?$filter={urllib.parse.quote(f'''roleName eq '{role}' ''')}").json
        name = f"{time.monotonic_ns() % 16**8:08x}-0000-4000-8000-000000000001"
        answer = self.call("PUT", f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", version="2022-04-01",
                           body={"properties": {"roleDefinitionId": roles["value"][0]["id"], "principalId": principal}})
        assert answer.status == 201, answer.body
        return answer.json["id"]


def make_server(*options):
    directory = tempfile.TemporaryDirectory(prefix="merlon-e2e-")
    server = Server(directory.name, *options)
    server.keep = directory  # removed with it
    server.init()
    return server.start()


@pytest.fixture(scope="session")
def server():
    """A server that many tests share: they must leave what others rely on."""
    server = make_server()
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture
def own_server():
    """A server for one test, which may stop and start it."""
    server = make_server("--receive-seconds", "2")
    yield server
    server.stop()
