"""All engines by name: those of this package, and those that other packages add.

Another package adds one by an entry point of the group `oumi.engines`: its name is the engine's,
its value a `Provider`, or an `EngineRow` for a backend of its own. Rows are loaded one by one, when
they are asked for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.backends.base import Backend
from oumi.backends.effective_settings import with_effective_model, with_effective_sampling
from oumi.backends.embedding_support import USUAL_TEXTS, EmbeddingSupport
from oumi.backends.engine_row import EngineRow
from oumi.backends.provider import Provider
from oumi.backends.remote.api_choice import find_dialect
from oumi.backends.remote.dialects import check_supports
from oumi.backends.remote.providers import find_provider, provider_names
from oumi.backends.settings import OF_RUN
from oumi.core.configs import InferenceConfig
from oumi.core.configs.engine_name import GROUP, outside_engines, parse_engine_name
from oumi.core.logs import logger, warn_once
from oumi.errors import ConfigError, MissingDependencyError, UnsupportedError
from oumi.runner.session import Session

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_CLUSTER = "oumi.distributed.backend:ClusterBackend"
"""The backend of any engine whose model runs on a cluster; its workers need the runtime."""

_LOCAL = {
    "LLAMACPP": "oumi.backends.local.llama_cpp.row",
    "NATIVE": "oumi.backends.local.native.row",
    "VLLM": "oumi.backends.local.vllm.row",
}
"""The module of each row of an engine on this machine."""

_FOR_LOCAL_ENGINES = {"batch_completion_window"}
"""Fields of remote_params that engines on this machine use."""


def find_engine(name: str) -> EngineRow:
    """The row of an engine, whose name may be in any case of letters or an alias.

    Raises ConfigError, which names the nearest engine.
    """
    try:
        exact = str(parse_engine_name(name))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return _load(exact)


def engine_rows() -> tuple[EngineRow, ...]:
    """The rows of all engines: those of this machine, the providers, those of other packages.

    One of another package that cannot be loaded is left out, with a warning.
    """
    return (*own_rows(), *_outside_rows())


def own_rows() -> tuple[EngineRow, ...]:
    """The rows of the engines of this package."""
    return tuple(_load(name) for name in (*_LOCAL, *provider_names()))


@cache
def _load(name: str) -> EngineRow:
    if name in _LOCAL:
        row: EngineRow = import_module(_LOCAL[name]).ENGINE
        return row
    if name in provider_names():
        return _remote_row(find_provider(name))
    return _load_outside(name, outside_engines()[name])


def _remote_row(provider: Provider) -> EngineRow:
    extra = f"'oumi-infer[{provider.extra}]'" if provider.extra else "oumi-infer"
    return EngineRow(
        name=provider.name,
        class_name=provider.class_name,
        backend="oumi.backends.remote.backend:RemoteBackend",
        summary=provider.summary,
        runtime="wreq",
        install=f"pip install {extra}",
        supports=provider.supports,
        ignores=provider.ignores,
        embeddings=provider.embeddings,
        provider=provider,
    )


def _load_outside(name: str, entry: EntryPoint) -> EngineRow:
    """The row behind an entry point. Raises ConfigError."""
    place = f"the entry point {entry.name} = {entry.value} in {GROUP}"
    try:
        found = entry.load()
    except Exception as error:  # of code that is not ours
        raise ConfigError(f"{place} cannot be loaded: {error!r}") from error
    row = found
    if isinstance(found, Provider):
        check_supports(found)
        row = _remote_row(found)
    if not isinstance(row, EngineRow):
        raise ConfigError(f"{place}: expected a Provider or an EngineRow, found {found!r:.80}")
    if row.name != name:
        raise ConfigError(f"{place}: expected the name {name!r}, found {row.name!r}")
    return row


@cache
def _outside_rows() -> tuple[EngineRow, ...]:
    rows = []
    for name in outside_engines():
        try:
            rows.append(_load(name))
        except ConfigError as error:
            logger.warning("%s", error)
    return tuple(rows)


def session_of(backend: Backend, config: InferenceConfig) -> Session:
    """The session of settings that have been checked, for rows that may bring their own."""

    def derive(own: InferenceConfig) -> Session:
        own = effective_settings(backend.row, own)
        backend.check(own)
        return backend.session(own)

    return replace(backend.session(config), derive=derive)


def embedding_session_of(backend: Backend, config: InferenceConfig) -> Session:
    """The session of rows that are embedded, under settings that have been checked.

    Raises UnsupportedError, which names the engines that can, and ConfigError.
    """
    support = check_embeds(backend.row, config)
    if (reason := backend.why_no_embeddings()) is not None:
        raise UnsupportedError(reason)
    given = config.embedding.texts_per_request
    if given is not None and given > support.max_texts:
        raise ConfigError(
            f"embedding.texts_per_request: {backend.name} takes {support.max_texts:,} at most"
        )
    session = backend.session(config).for_embeddings()
    return replace(session, texts_per_request=given or min(USUAL_TEXTS, support.max_texts))


def check_embeds(row: EngineRow, config: InferenceConfig) -> EmbeddingSupport:
    """How an engine makes the embeddings that are asked for. Raises UnsupportedError, which names
    the engines that can.
    """
    support, dimensions = row.embeddings, config.embedding.dimensions
    able = {one.name: one.embeddings for one in engine_rows() if one.embeddings is not None}
    if support is None:
        others = ", ".join(able)
        raise UnsupportedError(f"{row.name} makes no embeddings; engines that do: {others}")
    if dimensions is not None and support.dimensions_field is None:
        others = ", ".join(name for name, one in able.items() if one.dimensions_field)
        raise UnsupportedError(
            f"{row.name} cannot honour embedding.dimensions; engines that can: {others}"
        )
    for name in ("cluster", "part", "batch"):
        if getattr(config, name):
            raise UnsupportedError(f"{name}: not for embeddings; leave it out")
    return support


def load_backend(row: EngineRow, config: InferenceConfig) -> type[Backend]:
    """The class of an engine's backend. Raises MissingDependencyError."""
    if config.cluster is None:
        require_runtime(row)
    place = row.backend if config.cluster is None else _CLUSTER
    module, _, name = place.partition(":")
    found: type[Backend] = getattr(import_module(module), name)
    return found


def require_runtime(row: EngineRow) -> None:
    """Raise MissingDependencyError unless the package that an engine needs is installed."""
    if not row.is_installed():
        raise MissingDependencyError(
            f"{row.name} needs {row.runtime}, which is not installed: {row.install}"
        )


def effective_settings(row: EngineRow, config: InferenceConfig) -> InferenceConfig:
    """The settings as the engine takes them, checked.

    Raises ConfigError, and UnsupportedError for what the engine cannot honour.
    """
    config = with_effective_sampling(with_effective_model(row, config))
    check_settings(row, config)
    return config


def check_settings(row: EngineRow, config: InferenceConfig) -> None:
    """Raise UnsupportedError for the first setting that the engine cannot honour, ConfigError for a
    folder that does not exist.
    """
    settings = changed_settings(config)
    _check_sent(row, config, settings)
    for name in sorted(settings - row.supports - row.ignores - OF_RUN):
        able = [other.name for other in engine_rows() if name in other.supports]
        hint = f"engines that can: {', '.join(able)}" if able else "no engine here can"
        raise UnsupportedError(f"{row.name} cannot honour {name}; {hint}")
    remote = config.remote_params
    if row.provider is None and remote and remote.model_fields_set - _FOR_LOCAL_ENGINES:
        warn_once(f"{row.name}: remote_params are without effect")
    _check_media(row, config)
    ignored = sorted(settings & row.ignores)
    if ignored:
        warn_once(f"{row.name}: decided by the model's file or the server: {', '.join(ignored)}")


def supported_settings(row: EngineRow, config: InferenceConfig) -> set[str]:
    """The paths of the settings that the engine honours in the API that these settings choose."""
    if row.provider is None:
        return set(row.supports | OF_RUN)
    return (set(find_dialect(row.provider, config).settings) & row.supports) | OF_RUN


def _check_sent(row: EngineRow, config: InferenceConfig, settings: set[str]) -> None:
    """Raise UnsupportedError for a setting that the engine sends by another of its APIs only."""
    for name in sorted((settings & row.supports) - supported_settings(row, config)):
        raise UnsupportedError(
            f"{row.name} cannot honour {name} in the Responses API: leave it out, or set "
            "remote_params.api to chat for a model that the chat API serves"
        )


def _check_media(row: EngineRow, config: InferenceConfig) -> None:
    folder = config.allowed_media_path
    if folder is not None and not Path(folder).expanduser().is_dir():
        raise ConfigError(f"allowed_media_path: {folder}: no such folder")
    provider = row.provider
    if provider is None or provider.supports_audio or provider.supports_pdf:
        return  # which are loaded here
    if config.allowed_media_hosts:
        warn_once(f"{row.name} loads images of the web itself: allowed_media_hosts has no effect")


def changed_settings(config: InferenceConfig) -> set[str]:
    """The paths of the settings of model and generation that are not at their defaults."""
    names = {f"model.{name}" for name in config.model.changed_fields()}
    names |= {f"generation.{name}" for name in config.generation.changed_fields()}
    if config.generation.guided_decoding is not None:
        names.discard("generation.guided_decoding")
        form = config.generation.guided_decoding.form
        names.add(f"generation.guided_decoding.{form}")
    return names
