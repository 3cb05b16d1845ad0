"""SGLang's server. https://docs.sglang.ai/basic_usage/openai_api_completions.html"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Constraint, Provider, ThinkingForm

PROVIDER = Provider(
    name="SGLANG",
    class_name="SGLangInferenceEngine",
    summary="an SGLang server",
    thinking=ThinkingForm.TEMPLATE,
    supports=settings.CHAT | settings.SAMPLER | settings.SERVER,
    # Its template is set where the server is started, by `--chat-template`.
    # https://docs.sglang.ai/references/custom_chat_template.html
    ignores=settings.LOADING | {"model.chat_template"},
    user_field="user",
    constraint=Constraint.SGLANG,
    # https://docs.sglang.ai/basic_usage/openai_api_embeddings.html
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions", sends_base64=True),
    # https://docs.sglang.ai/basic_usage/native_api.html
    native_paths=("/generate",),
    needs_key=False,
    price_list=None,
)
