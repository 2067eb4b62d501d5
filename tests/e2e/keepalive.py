"""What the tests of foreign clients share beside conftest.py: a connection that stays open, lists with their pages, waiting."""

import http.client
import json
import time
import urllib.parse

VERSIONS = {"secureScores": "2020-01-01", "secureScoreControls": "2020-01-01", "assessments": "2021-06-01",
            "pricings": "2022-03-01"}  # by the type in the path; others take one that is not looked at


class Connection:
    """One connection, kept alive, that acts as one caller. For one thread."""

    def __init__(self, server, token=None, timeout=60):
        self.server, self.token = server, token or server.token()
        self.http = server.connect(timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def send(self, method, target, body=None):
        """(status, parsed body); body: JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.http.request(method, target, body, headers)
        response = self.http.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else None

    def arm(self, method, path, body=None, version=None, **query):
        if not version:
            version = next((VERSIONS[word] for word in reversed(path.split("/")) if word in VERSIONS), "2021-04-01")
        return self.send(method, f"{path}?{urllib.parse.urlencode({'api-version': version, **query})}", body)

    def get(self, path, **query):
        status, answer = self.arm("GET", path, **query)
        assert status == 200, (path, status, answer)
        return answer

    def put(self, path, body):
        status, answer = self.arm("PUT", path, body)
        assert status in (200, 201), (path, status, answer)
        return answer

    def list(self, path, **query):
        """All items, page by page."""
        page = self.get(path, **query)
        items = list(page["value"])
        while page.get("nextLink"):
            status, page = self.send("GET", page["nextLink"].removeprefix(self.server.url))
            assert status == 200, page
            items += page["value"]
        return items


LOST = (OSError, http.client.HTTPException)  # what a request raises whose server went away


def wait_until(true, timeout=60, what="it"):
    """Calls true() until it is; gives back what it gave."""
    end = time.monotonic() + timeout
    while not (result := true()):
        assert time.monotonic() < end, f"{what} did not come about within {timeout} s"
        time.sleep(0.05)
    return result
