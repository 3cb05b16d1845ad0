"""SGLang's server. https://docs.sglang.ai/basic_usage/openai_api_completions.html"""

from oumi.backends import settings
from oumi.backends.provider import Constraint, Provider

PROVIDER = Provider(
    name="SGLANG",
    class_name="SGLangInferenceEngine",
    summary="an SGLang server",
    supports=settings.CHAT | settings.SAMPLER | settings.SERVER,
    constraint=Constraint.SGLANG,
    needs_key=False,
    price_list=None,
)
