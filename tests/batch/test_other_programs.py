"""Batches of other programs read here, and ours read by them: the official SDK on both sides."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from openai import OpenAI

from oumi.batch.job_folder import JobFolder
from oumi.core.types import BatchStatus, ContentItem, Conversation, Message, Role, Type
from oumi.errors import InputError, UnsupportedError
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import expected, folders, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture
def sdk(server: FaultServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.api_url, api_key="sk-of-the-sdk") as client:
        yield client


def create(sdk: OpenAI, bodies: list[dict], url: str = "/v1/chat/completions") -> str:
    """A batch made by the SDK, with ids of its own."""
    lines = [
        json.dumps({"custom_id": f"task/{i}", "method": "POST", "url": url, "body": body}) + "\n"
        for i, body in enumerate(bodies)
    ]
    data = io.BytesIO("".join(lines).encode())
    file = sdk.files.create(file=("tasks.jsonl", data), purpose="batch")
    batch = sdk.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h")
    return batch.id


def bodies(count: int) -> list[dict]:
    return [
        {"model": "gpt-4", "messages": [{"role": "user", "content": f"row-{i}"}]}
        for i in range(count)
    ]


def test_the_sdk_reads_a_batch_of_ours(server: FaultServer, sdk: OpenAI, openai):
    batch_id = openai.infer_batch(rows(3))
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    batch = sdk.batches.retrieve(batch_id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 3)
    assert [listed.id for listed in sdk.batches.list()] == [batch_id]
    lines = sdk.files.content(batch.output_file_id).text.splitlines()
    said = {
        line["custom_id"].partition("-")[0]: line["response"]["body"]["choices"][0]["message"]
        for line in map(json.loads, lines)
    }
    assert {name: message["content"] for name, message in said.items()} == {
        f"r{i}": f"answer to row-{i}" for i in range(3)
    }


def test_a_batch_of_the_sdk_is_read_here(server: FaultServer, sdk: OpenAI, openai):
    server.plan(batch={"rows": {"row-2": 400}})
    batch_id = create(sdk, bodies(4))
    info = openai.get_batch_status(batch_id)
    assert (info.id, info.total_requests) == (batch_id, 4)
    assert not folders(), "looking leaves nothing behind"
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    partial = openai.get_batch_results_partial(batch_id)
    assert partial.rows == [0, 1, 3]
    assert answers(partial.conversations) == expected(iter([0, 1, 3]))
    assert [c.conversation_id for c in partial.conversations] == ["task/0", "task/1", "task/3"]
    assert partial.failures[2].status_code == 400
    given = [c.model_copy(update={"conversation_id": None}) for c in rows(4)]
    assert openai.get_batch_results_partial(batch_id, given).rows == [0, 1, 3]
    with pytest.raises(InputError, match="row 0 is not the conversation"):
        openai.get_batch_results_partial(batch_id, given[::-1])


def test_what_a_batch_of_the_sdk_lacks_is_sent_as_it_was(server: FaultServer, sdk, openai):
    server.plan(batch={"rows": {"row-1": 500}})
    asked = bodies(3)
    asked[1]["temperature"] = 0.25
    batch_id = create(sdk, asked)
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    server.move_batch(plan={"rows": {}})
    again = openai.resubmit_batch(batch_id)
    openai.wait_for_batch(again, poll_interval_s=0.005)
    assert answers(openai.get_batch_results(again)) == expected(range(3))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1}
    [seen] = [s for s in server.stats()["last"] if "r1-" in s["body"] and s["path"] == "/v1/files"]
    [line] = [line for line in seen["body"].splitlines() if line.startswith("{")]
    assert json.loads(line)["body"] == asked[1]


def test_a_batch_of_the_sdk_that_was_rejected_is_not_submitted_from_here(
    server: FaultServer, sdk: OpenAI, openai: OpenAIInferenceEngine
):
    server.plan(batch={"room": 0})
    batch_id = create(sdk, bodies(2))
    server.move_batch(plan={"room": None})
    partial = openai.get_batch_results_partial(batch_id)
    assert {f.error_class for f in partial.failures.values()} == {"BatchFailed"}
    assert openai.get_batch_status(batch_id).status == BatchStatus.FAILED
    assert len(server.batches()["batches"]) == 1


def test_words_and_images_of_the_api_are_understood(server: FaultServer, sdk: OpenAI, openai):
    image = "data:image/png;base64,iVBORw0KGgo="
    parts = [
        {"type": "text", "text": "row-7"},
        {"type": "image_url", "image_url": {"url": image}},
    ]
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}]
    batch_id = create(sdk, [{"model": "gpt-4", "messages": messages}])
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    [conversation] = openai.get_batch_results(batch_id)
    assert (
        conversation.messages[:2]
        == Conversation(
            messages=[
                Message(role=Role.SYSTEM, content="Be brief."),
                Message(
                    role=Role.USER,
                    content=[
                        ContentItem(type=Type.TEXT, content="row-7"),
                        ContentItem(type=Type.IMAGE_URL, content=image),
                    ],
                ),
            ]
        ).messages
    )
    assert conversation.messages[-1].content == "answer to row-7"


def test_a_batch_that_holds_no_conversations(sdk: OpenAI, openai: OpenAIInferenceEngine):
    body = {"model": "text-embedding-3-small", "input": "row-0"}
    batch_id = create(sdk, [body], "/v1/embeddings")
    assert openai.get_batch_status(batch_id).total_requests == 1
    with pytest.raises(UnsupportedError, match="/v1/embeddings"):
        openai.get_batch_results_partial(batch_id)


def test_a_batch_of_the_responses_api(server: FaultServer, sdk: OpenAI, openai):
    picture = {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"}
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"}
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "1+1?"}, picture]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
        {"role": "assistant", "content": "Let me see."},
        *(call, {**call, "call_id": "c2"}),
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
        {"type": "function_call_output", "call_id": "c2", "output": "2"},
        {"role": "user", "content": "row-7"},
    ]
    tool = {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": False}
    asked = {"model": "gpt-5-pro", "tools": [{"type": "web_search"}, tool]}
    bodies = [
        {**asked, "instructions": "Be brief.", "input": items},
        {"model": "gpt-5-pro", "input": "row-8"},
    ]
    batch_id = create(sdk, bodies, "/v1/responses")
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    first, second = openai.get_batch_results(batch_id)
    assert [message.role.value for message in first.messages] == [
        *("system", "user", "assistant", "tool", "tool", "user", "assistant")
    ]
    assert [item.type for item in first.messages[1].content] == [Type.TEXT, Type.IMAGE_URL]
    assert [called.id for called in first.messages[2].tool_calls] == ["c1", "c2"]
    assert [known.function.name for known in first.tools] == ["add"]
    assert first.messages[-1].content == "answer to row-7"
    assert second.messages[-1].content == "answer to row-8"


def test_a_batch_of_ours_is_read_where_its_folder_is_not(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3))
    openai.wait_for_batch(batch_id, poll_interval_s=0.005)
    [path] = folders()
    path.rename(path.with_name("elsewhere.gone"))
    (path.with_name("elsewhere.gone") / "intent.json").unlink()
    with make(server) as other:
        assert answers(other.get_batch_results(batch_id)) == expected(range(3))
    assert JobFolder(path.with_name(batch_id)).exists


def test_list_has_those_of_others_too(sdk: OpenAI, openai: OpenAIInferenceEngine):
    foreign, own = create(sdk, bodies(1)), openai.infer_batch(rows(2))
    assert {info.id for info in openai.list_batches()} == {foreign, own}
    assert openai.cancel_batch(foreign).provider_status == "cancelling"
