"""What each provider replies in its own words: errors, limits, streams. Keys are taken out.

Where a reply is left out, the provider speaks as the fault server does in its dialect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ErrorReply:
    """A reply that is no answer."""

    code: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def fault(self) -> dict[str, Any]:
        """As the fault server has to say it, again and again."""
        fault = {"kind": "status", "code": self.code, "headers": self.headers, "times": None}
        return fault if self.body is None else {**fault, "body": self.body}


@dataclass(frozen=True)
class Replies:
    """What a provider replies."""

    bad_key: ErrorReply = ErrorReply(401)
    no_model: ErrorReply = ErrorReply(404)
    """To a model that it does not have."""
    too_many: ErrorReply = ErrorReply(429, headers={"retry-after": "7"})
    """To too many requests; asks for a wait of seven seconds."""
    stream: Sequence[dict[str, Any]] = ()
    """The events of a stream of "answer to row-1", where they differ from the fault server's."""


def _google(code: int, status: str, message: str, *details: dict[str, Any]) -> ErrorReply:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return ErrorReply(code, [{"error": error}])


_GOOGLE_TYPE = "type.googleapis.com/google.rpc."

REPLIES: dict[str, Replies] = {
    "ANTHROPIC": Replies(),
    "AZURE": Replies(
        bad_key=ErrorReply(
            401,
            {
                "error": {
                    "code": "401",
                    "message": "Access denied due to invalid subscription key or wrong API "
                    "endpoint.",
                }
            },
        ),
        no_model=ErrorReply(
            404,
            {
                "error": {
                    "code": "DeploymentNotFound",
                    "message": "The API deployment for this resource does not exist.",
                }
            },
        ),
        too_many=ErrorReply(
            429,
            {"error": {"code": "429", "message": "Requests have exceeded the call rate limit."}},
            {"retry-after": "7", "retry-after-ms": "7000"},
        ),
    ),
    "BEDROCK": Replies(
        bad_key=ErrorReply(
            403, {"message": "The security token included in the request is invalid."}
        ),
        no_model=ErrorReply(400, {"message": "The provided model identifier is invalid."}),
    ),
    "CEREBRAS": Replies(
        bad_key=ErrorReply(
            401,
            {
                "message": "Wrong API Key",
                "type": "invalid_request_error",
                "param": "api_key",
                "code": "wrong_api_key",
            },
        ),
        no_model=ErrorReply(
            404,
            {
                "message": "Model m does not exist or you do not have access to it.",
                "type": "not_found_error",
                "param": "model",
                "code": "model_not_found",
            },
        ),
        too_many=ErrorReply(
            429,
            {
                "message": "Requests per minute limit exceeded - too many requests sent.",
                "type": "too_many_requests_error",
                "param": "quota",
                "code": "request_quota_exceeded",
            },
            {"retry-after": "7"},
        ),
    ),
    "DEEPSEEK": Replies(
        bad_key=ErrorReply(
            401,
            {
                "error": {
                    "message": "Authentication Fails (no such user)",
                    "type": "authentication_error",
                    "param": None,
                    "code": "invalid_request_error",
                }
            },
        ),
        no_model=ErrorReply(
            400,
            {
                "error": {
                    "message": "Model Not Exist",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "invalid_request_error",
                }
            },
        ),
    ),
    "FIREWORKS": Replies(
        no_model=ErrorReply(
            404,
            {
                "error": {
                    "object": "error",
                    "type": "invalid_request_error",
                    "code": "NOT_FOUND",
                    "message": "Model not found, inaccessible, and/or not deployed",
                }
            },
        ),
    ),
    "GOOGLE_GEMINI": Replies(
        bad_key=_google(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            {"@type": _GOOGLE_TYPE + "ErrorInfo", "reason": "API_KEY_INVALID"},
        ),
        no_model=_google(404, "NOT_FOUND", "models/m is not found for API version v1main."),
        too_many=_google(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            {"@type": _GOOGLE_TYPE + "RetryInfo", "retryDelay": "7s"},
        ),
    ),
    "GOOGLE_VERTEX": Replies(
        bad_key=_google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        no_model=_google(404, "NOT_FOUND", "Publisher Model `google/m` was not found."),
    ),
    "GROQ": Replies(),
    "HUGGING_FACE_ROUTER": Replies(
        bad_key=ErrorReply(401, {"error": "Invalid username or password."}),
        no_model=ErrorReply(
            400,
            {
                "error": {
                    "message": "The requested model 'm' does not exist",
                    "type": "invalid_request_error",
                    "param": "model",
                    "code": "model_not_found",
                }
            },
        ),
    ),
    "LAMBDA": Replies(),
    "MISTRAL": Replies(
        bad_key=ErrorReply(401, {"detail": "Unauthorized"}),
        no_model=ErrorReply(
            400,
            {
                "object": "error",
                "message": "Invalid model: m",
                "type": "invalid_model",
                "param": None,
                "code": "1500",
            },
        ),
        stream=[
            {
                "id": "cmpl-1",
                "object": "chat.completion.chunk",
                "created": 1790000000,
                "model": "m",
                "choices": [
                    {
                        "index": 0,
                        "delta": {"role": "assistant", "content": ""},
                        "finish_reason": None,
                    }
                ],
            },
            {
                "id": "cmpl-1",
                "object": "chat.completion.chunk",
                "created": 1790000000,
                "model": "m",
                "choices": [
                    {"index": 0, "delta": {"content": "answer to row-1"}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
            },
        ],
    ),
    "OLLAMA": Replies(
        no_model=ErrorReply(
            404,
            {
                "error": {
                    "message": 'model "m" not found, try pulling it first',
                    "type": "api_error",
                    "param": None,
                    "code": None,
                }
            },
        ),
    ),
    "OPENAI": Replies(),
    "OPENROUTER": Replies(
        bad_key=ErrorReply(401, {"error": {"message": "No auth credentials found", "code": 401}}),
        no_model=ErrorReply(400, {"error": {"message": "m is not a valid model ID", "code": 400}}),
        too_many=ErrorReply(
            429,
            {"error": {"message": "Rate limit exceeded: free-models-per-min.", "code": 429}},
            {"retry-after": "7", "x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"},
        ),
    ),
    "PARASAIL": Replies(),
    "REMOTE": Replies(),
    "REMOTE_VLLM": Replies(
        no_model=ErrorReply(
            404,
            {
                "error": {
                    "message": "The model `m` does not exist.",
                    "type": "NotFoundError",
                    "param": "model",
                    "code": 404,
                }
            },
        ),
    ),
    "SAMBANOVA": Replies(),
    "SGLANG": Replies(),
    "TOGETHER": Replies(),
    "XAI": Replies(
        bad_key=ErrorReply(
            400,
            {
                "code": "Client specified an invalid argument",
                "error": "Incorrect API key provided: xa***ng. You can obtain an API key from "
                "https://console.x.ai.",
            },
        ),
        no_model=ErrorReply(
            404,
            {
                "code": "Some requested entity was not found",
                "error": "The model m does not exist or your team does not have access to it.",
            },
        ),
    ),
}
"""By the name of the provider; one that replies as all do has an empty entry."""
