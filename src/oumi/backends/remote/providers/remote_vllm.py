"""vLLM's server. https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Constraint, Provider, ResponsesApi, ThinkingForm

PROVIDER = Provider(
    name="REMOTE_VLLM",
    class_name="RemoteVLLMInferenceEngine",
    summary="a vLLM server",
    thinking=ThinkingForm.TEMPLATE,
    supports=settings.CHAT | settings.SAMPLER | settings.SERVER | {"model.chat_template"},
    responses=ResponsesApi.IF_SET,
    # https://docs.vllm.ai/en/latest/features/multimodal_inputs.html#audio-inputs
    supports_audio=True,
    user_field="user",
    constraint=Constraint.VLLM,
    # https://docs.vllm.ai/en/latest/features/interleaved_thinking/
    reasoning_field="reasoning",
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#embeddings-api
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions", sends_base64=True),
    needs_key=False,
    price_list=None,
)
