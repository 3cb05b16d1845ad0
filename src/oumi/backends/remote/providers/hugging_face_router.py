"""Hugging Face's router.

https://huggingface.co/docs/inference-providers/tasks/chat-completion
"""

from oumi.backends import settings
from oumi.backends.provider import Provider

PROVIDER = Provider(
    name="HUGGING_FACE_ROUTER",
    aliases=("HUGGING_FACE",),
    class_name="HuggingFaceInferenceEngine",
    summary="Hugging Face's router, before the APIs of many",
    supports=settings.CHAT - settings.LOGIT_BIAS - {"generation.parallel_tool_calls"},
    url="https://router.huggingface.co/v1",
    url_env="HF_BASE_URL",
    key_env=("HF_TOKEN",),
)
