"""Static files as production serves them: hashed, compressed, for good, from a CDN's host."""

import os
import subprocess
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Response

from tests.deploy.serving import served
from tests.deploy.test_gunicorn import PRODUCTION
from tests.processes import MANAGE, ROOT, database_url, free_port

# To compress these takes half a minute, and no page of the admin loads them.
UNUSED = ["rest_framework", "drf_spectacular_sidecar"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("committed_db"),
]


def test_page_loads_its_files_from_the_static_host(tmp_path: Path, browser: Browser) -> None:
    port = free_port()
    cdn = f"http://127.0.0.1:{port}"  # another origin than the page's, for a browser
    production = PRODUCTION | {
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "tests.deploy.static_settings",
        "SECURE_SSL_REDIRECT": "0",
        "STATIC_HOST": cdn,
        "TEST_STATIC_ROOT": str(tmp_path / "static"),
    }
    subprocess.run(
        [*MANAGE, "collectstatic", "--no-input", *(f"--ignore={name}" for name in UNUSED)],
        cwd=ROOT,
        env=os.environ | production | {"DATABASE_URL": database_url()},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    loaded: list[Response] = []
    said: list[str] = []
    with served(tmp_path / "log", PORT=str(port), **production):
        page = browser.new_page(base_url=f"http://localhost:{port}")
        page.on("response", lambda response: loaded.append(response))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        answer = page.goto("/admin/login/", wait_until="networkidle")
        assert answer
        assert answer.status == 200
        assert cdn in answer.headers["content-security-policy"]
        font = page.evaluate("getComputedStyle(document.body).fontFamily")
        page.close()
        files = [each for each in loaded if "/static/" in each.url]
        assert len(files) > 5
        assert {each.url.startswith(cdn) for each in files} == {True}
        assert {each.status for each in files} == {200}
        assert said == []
        assert "Inter" in font  # the theme's, which its stylesheet brings

        style = next(each.url for each in files if each.url.endswith(".css"))
        for encoding in ("br", "gzip"):
            sent = requests.get(style, headers={"Accept-Encoding": encoding}, timeout=30)
            assert sent.headers["Content-Encoding"] == encoding
            assert "immutable" in sent.headers["Cache-Control"]
            assert sent.headers["Access-Control-Allow-Origin"] == "*"
    names = {file.name for file in (tmp_path / "static").rglob("*.css")}
    assert Path(style).name in names
    assert "admin.css" not in names  # only what is named by its hash is kept
