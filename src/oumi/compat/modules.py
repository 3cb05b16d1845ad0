"""Which upstream module holds which names, and where they are here."""

from __future__ import annotations

_CONFIGS = "oumi.core.configs"
_TYPES = "oumi.core.types"
_INFERENCE = "oumi.inference"
_ERRORS = "oumi.errors"
_FUNCTIONS = "oumi.compat.functions"

_BASE_ENGINE = {
    "BaseInferenceEngine": f"{_INFERENCE}.engine:InferenceEngine",
    "BatchResult": f"{_TYPES}:InferenceResult",
    "FailureDetail": f"{_TYPES}:Failure",
    "InferenceErrorType": f"{_TYPES}:InferenceErrorType",
    "InferenceResult": f"{_TYPES}:InferenceResult",
}
_BATCH_TYPES = {
    "BatchInfo": f"{_TYPES}.batch:BatchInfo",
    "BatchStatus": f"{_TYPES}.batch:BatchStatus",
}
_BUILD_ENGINE = {
    "ENGINE_MAP": f"{_FUNCTIONS}:ENGINE_MAP",
    "build_inference_engine": f"{_FUNCTIONS}:build_inference_engine",
}
_BUILD_TEMPLATE = {"build_chat_template": f"{_FUNCTIONS}:build_chat_template"}
_CONVERSATION_FUNCTIONS = (
    "base64encode_content_item_image_bytes",
    "convert_content_items_to_json_list",
    "convert_message_content_item_to_json_dict",
    "convert_message_to_json_content",
    "convert_message_to_json_content_list",
    "create_chat_template_inputs",
    "create_list_of_message_json_dicts",
    "load_image_bytes_to_content_item",
    "remove_excessive_images",
    "remove_excessive_images_from_conversation",
)
_ENGINES = {
    "anthropic": "AnthropicInferenceEngine",
    "bedrock": "BedrockInferenceEngine",
    "cerebras": "CerebrasInferenceEngine",
    "deepseek": "DeepSeekInferenceEngine",
    "fireworks": "FireworksInferenceEngine",
    "gcp": "GoogleVertexInferenceEngine",
    "gemini": "GoogleGeminiInferenceEngine",
    "huggingface": "HuggingFaceRouterInferenceEngine",
    "llama_cpp": "LlamaCppInferenceEngine",
    "native_text": "NativeTextInferenceEngine",
    "openai": "OpenAIInferenceEngine",
    "openrouter": "OpenRouterInferenceEngine",
    "parasail": "ParasailInferenceEngine",
    "remote": "RemoteInferenceEngine",
    "remote_vllm": "RemoteVLLMInferenceEngine",
    "sambanova": "SambanovaInferenceEngine",
    "sglang": "SGLangInferenceEngine",
    "together": "TogetherInferenceEngine",
    "vllm": "VLLMInferenceEngine",
}
_PARAMS = {
    "generation_params": "GenerationParams",
    "guided_decoding_params": "GuidedDecodingParams",
    "model_params": "ModelParams",
    "remote_params": "RemoteParams",
}


def _functions(*names: str) -> dict[str, str]:
    return {name: f"{_FUNCTIONS}:{name}" for name in names}


MODULES: dict[str, dict[str, str]] = {
    "oumi.builders": _BUILD_ENGINE | _BUILD_TEMPLATE,
    "oumi.builders.inference_engines": _BUILD_ENGINE,
    "oumi.builders.models": _BUILD_TEMPLATE,
    "oumi.core.configs.base_config": {"BaseConfig": f"{_CONFIGS}.base:Settings"},
    "oumi.core.configs.inference_engine_type": {
        "InferenceEngineType": f"{_CONFIGS}:InferenceEngineType"
    },
    "oumi.core.configs.params": {name: f"{_CONFIGS}:{name}" for name in _PARAMS.values()},
    "oumi.core.configs.params.base_params": {"BaseParams": f"{_CONFIGS}.base:Settings"},
    **{
        f"oumi.core.configs.params.{module}": {name: f"{_CONFIGS}:{name}"}
        for module, name in _PARAMS.items()
    },
    "oumi.core.types.exceptions": {"HardwareException": f"{_ERRORS}:EngineError"},
    "oumi.core.inference": _BASE_ENGINE,
    "oumi.core.inference.base_inference_engine": _BASE_ENGINE,
    "oumi.exceptions": {
        "HardwareException": f"{_ERRORS}:EngineError",
        "OumiConfigError": f"{_ERRORS}:ConfigError",
        "OumiConfigParsingError": f"{_ERRORS}:ConfigError",
        "OumiConfigTypeError": f"{_ERRORS}:ConfigError",
    },
    "oumi.infer": {
        "get_engine": "oumi.quick:get_engine",
        "infer": "oumi.quick:infer",
        "infer_interactive": "oumi.cli.chat:infer_interactive",
    },
    **{
        f"{_INFERENCE}.{module}_inference_engine": {name: f"{_INFERENCE}:{name}"}
        | (_BATCH_TYPES if module == "remote" else {})
        for module, name in _ENGINES.items()
    },
    "oumi.utils": {},
    "oumi.utils.conversation_utils": {
        name: f"oumi.compat.conversations:{name}" for name in _CONVERSATION_FUNCTIONS
    },
    "oumi.utils.io_utils": _functions(
        "load_file", "load_json", "load_jsonlines", "save_json", "save_jsonlines"
    ),
    "oumi.utils.logging": {
        **_functions("get_logger", "update_logger_level"),
        "logger": "oumi.core.logs:logger",
    },
    "oumi.utils.version_utils": _functions("get_oumi_version"),
}
