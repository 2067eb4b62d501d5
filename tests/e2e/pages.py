"""A browser without script, for the pages that the server itself shows."""

import html
import re

from conftest import ADMIN, PASSWORD


class Browser:
    """Follows the forms of our pages: cookies, hidden fields, no script."""

    def __init__(self, server):
        self.server, self.cookies, self.page = server, {}, None

    def _take(self, answer):
        for name, value in answer.all_headers:
            if name.lower() == "set-cookie":
                assert "Secure" in value and "HttpOnly" in value and "SameSite=Strict" in value and "Path=/" in value
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        self.page = answer
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            assert "<script" not in answer.body.decode()
        return answer

    def _headers(self):
        return {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items() if v), "Sec-Fetch-Site": "same-origin"}

    def get(self, path):
        return self._take(self.server.send("GET", path, headers=self._headers()))

    def fields(self):
        return {name: html.unescape(value) for name, value in
                re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.page.body.decode())}

    def submit(self, headers=None, **fields):
        action = html.unescape(re.search(r'<form method="post" action="([^"]+)">', self.page.body.decode()).group(1))
        return self._take(self.server.form(action, {**self.fields(), **fields}, {**self._headers(), **(headers or {})}))

    def sign_in(self, password=PASSWORD):
        return self.submit(username=ADMIN, password=password, step="signin")
