"""What the server of a report answers, and to whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.report.runs import tickets, write_run
from tests.report.served import served


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    output = write_run(tmp_path_factory.mktemp("run") / "out.jsonl", tickets(50))
    with served(output) as url, httpx.Client(base_url=url, timeout=30) as client:
        while not client.get("/state", params=state()).json()["up_to_date"]:
            pass
        yield client


def state(generation: int = 0, version: int = 0) -> dict[str, int]:
    return {"generation": generation, "version": version, "replaced": 0}


def test_the_page_may_ask_where_it_came_from_and_nobody_else(client: httpx.Client) -> None:
    reply = client.get("/")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', reply.text)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert (rules["default-src"], rules["connect-src"]) == ("'none'", "'self'")
    assert "unsafe" not in policy[1]
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
def test_other_pages_get_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    for path in ("/", "/state?generation=0&version=0&replaced=0"):
        reply = client.get(path, headers=headers)
        assert reply.status_code == 403
        assert "ticket" not in reply.text


def test_a_page_that_knows_the_figures_is_not_sent_them_again(client: httpx.Client) -> None:
    first = client.get("/state", params=state()).json()
    assert (first["size"], first["facts"]["figures"]["rows"]) == (50, 50)
    again = client.get("/state", params=state(first["generation"], first["version"])).json()
    assert "facts" not in again


def test_places_of_other_files_are_refused(client: httpx.Client) -> None:
    reply = client.get("/rows", params={"generation": 99, "places": "0"})
    assert (reply.status_code, reply.json()["error"]["message"]) == (
        409,
        "the files were replaced meanwhile",
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/rows?generation=1&places=1,-2", "places: '-2' is no whole number"),
        ("/rows?generation=1", "places: missing"),
        ("/select?generation=1&start=0&query=5", "query: "),
        ('/select?generation=1&start=0&query={"filters":[{"kind":"odd"}]}', "query: "),
    ],
)
def test_questions_that_make_no_sense(client: httpx.Client, path: str, message: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith(message)


def test_rows_that_are_not_there(client: httpx.Client) -> None:
    generation = client.get("/state", params=state()).json()["generation"]
    assert client.get(f"/rows?generation={generation}&places=50,51").json() == []
    assert client.get(f"/place?generation={generation}&row=50").json() is None


def test_a_selection_says_what_rows_are_sorted_by(client: httpx.Client) -> None:
    generation = client.get("/state", params=state()).json()["generation"]
    query = {"text": "ticket 101", "sort": "fact:row"}
    asked = {"generation": generation, "start": 0, "query": json.dumps(query)}
    found = client.get("/select", params=asked).json()
    assert found == {"places": list(range(10, 20)), "keys": list(range(10, 20)), "next": 50}
