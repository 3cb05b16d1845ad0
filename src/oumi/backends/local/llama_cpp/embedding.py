"""Requests to llama.cpp's embeddings endpoint and its replies, and the models that are made for it.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

import re

from oumi.backends.local.llama_cpp.body import decode_json
from oumi.backends.local.llama_cpp.gguf_header import Header
from oumi.backends.openai_embeddings import decode_embeddings
from oumi.core.json_text import write_json
from oumi.core.types.embedding import Embeddings
from oumi.errors import ContextLengthError, UnavailableError
from oumi.runner.embedding_request import EmbeddingRequest

_TOO_LARGE = re.compile(r"input \((\d+) tokens\) is (?:too large|larger)")


def makes_embeddings(header: Header) -> bool:
    """Whether a model was made for embeddings: its file says then what of a text's tokens is its
    vector.
    """
    return f"{header.architecture}.pooling_type" in header.values


def encode(request: EmbeddingRequest) -> bytes:
    """The body of a request."""
    return write_json({"input": request.texts, "encoding_format": "base64"})


def decode(reply: bytes, request: EmbeddingRequest) -> Embeddings:
    """The vectors in a reply. Raises the error that it holds instead."""
    try:
        data = decode_json(reply)
    except UnavailableError as error:
        if (found := _TOO_LARGE.search(str(error))) is None:
            raise
        raise ContextLengthError(
            f"a text of {int(found[1]):,} tokens does not fit into the context: raise "
            "model.model_max_length as far as the model goes, or shorten the row"
        ) from error
    return decode_embeddings(data, len(request.texts))
