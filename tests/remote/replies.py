"""What each provider says in its own words: errors, and limits. Keys are taken out.

Where a provider is not named, it speaks as the fault server does in the form of its dialect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oumi.core.configs import InferenceEngineType as Engine


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


def _google(code: int, status: str, message: str, *details: dict[str, Any]) -> ErrorReply:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return ErrorReply(code, [{"error": error}])


_GOOGLE_TYPE = "type.googleapis.com/google.rpc."

BAD_KEY: dict[Engine, ErrorReply] = {
    Engine.GOOGLE_GEMINI: _google(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        {"@type": _GOOGLE_TYPE + "ErrorInfo", "reason": "API_KEY_INVALID"},
    ),
    Engine.GOOGLE_VERTEX: _google(
        401, "UNAUTHENTICATED", "Request had invalid authentication credentials."
    ),
    Engine.DEEPSEEK: ErrorReply(
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
    Engine.MISTRAL: ErrorReply(401, {"detail": "Unauthorized"}),
    Engine.XAI: ErrorReply(
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: xa***ng. You can obtain an API key from "
            "https://console.x.ai.",
        },
    ),
    Engine.AZURE: ErrorReply(
        401,
        {
            "error": {
                "code": "401",
                "message": "Access denied due to invalid subscription key or wrong API endpoint.",
            }
        },
    ),
    Engine.CEREBRAS: ErrorReply(
        401,
        {
            "message": "Wrong API Key",
            "type": "invalid_request_error",
            "param": "api_key",
            "code": "wrong_api_key",
        },
    ),
    Engine.BEDROCK: ErrorReply(
        403, {"message": "The security token included in the request is invalid."}
    ),
    Engine.OPENROUTER: ErrorReply(
        401, {"error": {"message": "No auth credentials found", "code": 401}}
    ),
    Engine.HUGGING_FACE_ROUTER: ErrorReply(401, {"error": "Invalid username or password."}),
}

NO_MODEL: dict[Engine, ErrorReply] = {
    Engine.GOOGLE_GEMINI: _google(
        404, "NOT_FOUND", "models/m is not found for API version v1main."
    ),
    Engine.GOOGLE_VERTEX: _google(404, "NOT_FOUND", "Publisher Model `google/m` was not found."),
    Engine.DEEPSEEK: ErrorReply(
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
    Engine.MISTRAL: ErrorReply(
        400,
        {
            "object": "error",
            "message": "Invalid model: m",
            "type": "invalid_model",
            "param": None,
            "code": "1500",
        },
    ),
    Engine.XAI: ErrorReply(
        404,
        {
            "code": "Some requested entity was not found",
            "error": "The model m does not exist or your team does not have access to it.",
        },
    ),
    Engine.AZURE: ErrorReply(
        404,
        {
            "error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist.",
            }
        },
    ),
    Engine.FIREWORKS: ErrorReply(
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
    Engine.CEREBRAS: ErrorReply(
        404,
        {
            "message": "Model m does not exist or you do not have access to it.",
            "type": "not_found_error",
            "param": "model",
            "code": "model_not_found",
        },
    ),
    Engine.BEDROCK: ErrorReply(400, {"message": "The provided model identifier is invalid."}),
    Engine.OPENROUTER: ErrorReply(
        400, {"error": {"message": "m is not a valid model ID", "code": 400}}
    ),
    Engine.HUGGING_FACE_ROUTER: ErrorReply(
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
    Engine.OLLAMA: ErrorReply(
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
    Engine.REMOTE_VLLM: ErrorReply(
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
}

TOO_MANY: dict[Engine, ErrorReply] = {
    Engine.GOOGLE_GEMINI: _google(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        {"@type": _GOOGLE_TYPE + "RetryInfo", "retryDelay": "7s"},
    ),
    Engine.AZURE: ErrorReply(
        429,
        {"error": {"code": "429", "message": "Requests have exceeded the call rate limit."}},
        {"retry-after": "7", "retry-after-ms": "7000"},
    ),
    Engine.OPENROUTER: ErrorReply(
        429,
        {"error": {"message": "Rate limit exceeded: free-models-per-min.", "code": 429}},
        {"retry-after": "7", "x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"},
    ),
    Engine.CEREBRAS: ErrorReply(
        429,
        {
            "message": "Requests per minute limit exceeded - too many requests sent.",
            "type": "too_many_requests_error",
            "param": "quota",
            "code": "request_quota_exceeded",
        },
        {"retry-after": "7"},
    ),
}
"""Each asks for seven seconds."""

USUAL_BAD_KEY, USUAL_NO_MODEL = ErrorReply(401), ErrorReply(404)
USUAL_TOO_MANY = ErrorReply(429, headers={"retry-after": "7"})

STREAM: dict[Engine, list[dict[str, Any]]] = {
    Engine.MISTRAL: [
        {
            "id": "cmpl-1",
            "object": "chat.completion.chunk",
            "created": 1790000000,
            "model": "m",
            "choices": [
                {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
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
    ]
}
"""Events of a stream whose form is not that of the fault server."""
