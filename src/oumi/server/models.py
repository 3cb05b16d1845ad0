"""The models that a server offers, each by a name, with the engine behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oumi.backends.engine_choice import engine_for
from oumi.backends.registry import supported_settings
from oumi.core.configs import GenerationParams, InferenceConfig, RemoteParams
from oumi.core.json_text import write_json
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, OumiError
from oumi.inference import InferenceEngine, build_engine
from oumi.runner.cache.opening import open_cache
from oumi.runner.limits.budget import LIMITS
from oumi.runner.limits.status import LimiterStatus
from oumi.runner.session import Session
from oumi.server.admission import Admission
from oumi.server.http.errors import HttpError, wrong_field
from oumi.server.key_settings import KeyName, KeySettings
from oumi.server.query import Query, in_words_of

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache

_PATIENCE = RemoteParams(max_outage_s=20.0)
"""How long a request waits for an API that is away or has too much to do, unless the settings say
otherwise: a client waits for seconds, where a run waits for a quarter of an hour."""
_BEFORE_FALLBACK = RemoteParams(max_outage_s=2.0, max_retries=1)
"""The same where another model may answer."""
_OF_JOBS = RemoteParams(
    max_outage_s=RemoteParams().max_outage_s, max_retries=RemoteParams().max_retries
)
"""That of runs, in words, for batches of an engine that was made with less."""
_MOST_SESSIONS = 256
"""Enough for the settings of all programs that ask; those of a single request need not be kept."""
_OF_RUNS = ("fallbacks", "input_path", "output_path", "progress_path")
"""Settings that are no matter of the engine's."""


class ServedModel(InferenceConfig):
    """The settings of a model that is served, and which others answer in its place."""

    fallbacks: list[str] = Field(default_factory=list)
    """Names of models that answer, in this order, where this one is away, has too much to do, has
    spent its quota or has too short a context."""


class ServedModels(BaseModel):
    """A file of several models."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    models: dict[str, ServedModel] = Field(min_length=1)
    """The models by the names that clients know them by."""

    keys: dict[KeyName, KeySettings] = Field(default_factory=dict)
    """The keys of clients by their names."""


class ServedWithKeys(InferenceConfig):
    """A file of one model, or of none, and of keys."""

    keys: dict[KeyName, KeySettings] = Field(default_factory=dict)
    """The keys of clients by their names."""


def name_of(config: InferenceConfig) -> str:
    """The name under which a model is served that was given none: that of its file or hub id."""
    name = config.model.adapter_model or config.model.model_name
    is_path = os.sep in name and Path(name).expanduser().exists()
    return Path(name).stem if is_path else name


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is ready to answer."""

    name: str
    config: InferenceConfig
    engine: InferenceEngine
    session: Session
    """That of requests without settings of their own. All others share its limiter."""
    admission: Admission
    job_config: InferenceConfig
    """The settings of batches, which are as patient as any run."""
    cache: AnswerCache | None
    """Answers of before; None where the settings name none."""
    supported: frozenset[str]
    """The paths of the settings that its engine honours."""
    sessions: dict[bytes, Session] = field(default_factory=dict, repr=False)
    """Those of settings that came before, by their JSON: a program sends the same ones each time,
    and to check them takes a fifth of a request."""

    @classmethod
    def load(cls, name: str, served: ServedModel, most_waiting: int) -> Self:
        """Load it. Raises what is wrong with the settings or the model."""
        patience = _BEFORE_FALLBACK if served.fallbacks else _PATIENCE
        config, job_config = _with(patience, served), _with(_OF_JOBS, served)
        engine = build_engine(config)
        session = engine.session(config)
        places = min(session.max_in_flight, session.limiter.limits.in_flight)
        supported = frozenset(supported_settings(engine.row(), config))
        admission = Admission(places, most_waiting)
        cache = open_cache(config, session.name, session.url) if config.cache else None
        return cls(name, config, engine, session, admission, job_config, cache, supported)

    def close(self) -> None:
        """Free what it holds."""
        if self.cache is not None:
            self.cache.close()
        self.engine.close()

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.engine.row().provider is None

    @property
    def allows_files(self) -> bool:
        """Whether requests may name files of this machine."""
        return self.config.allowed_media_path is not None

    @property
    def status(self) -> LimiterStatus:
        """How busy it is."""
        return self.session.limiter.status

    def session_for(self, query: Query) -> Session:
        """The session of a query's settings. Raises HttpError, which names the field."""
        if not query.settings:
            return self.session
        name = write_json(query.settings)
        session = self.sessions.get(name)
        if session is None:
            session = self._make_session(query)
            if len(self.sessions) >= _MOST_SESSIONS:
                self.sessions.pop(next(iter(self.sessions)), None)
            self.sessions[name] = session
        return session

    def _make_session(self, query: Query) -> Session:
        generation = _checked(query)
        self._check_supported(query, generation)
        try:
            return self.session.with_settings(generation)
        except OumiError as error:
            raise in_words_of(query, str(error.__cause__ or error)) from error

    def _check_supported(self, query: Query, generation: GenerationParams) -> None:
        for setting in sorted(generation.changed_fields()):
            path = f"generation.{setting}"
            if generation.guided_decoding is not None and setting == "guided_decoding":
                path = f"{path}.{generation.guided_decoding.form}"
            if path not in self.supported:
                raise wrong_field(
                    query.origins.get(setting, setting),
                    f"{self.engine.name}, the engine of {self.name}, cannot honour it",
                )


def _checked(query: Query) -> GenerationParams:
    try:
        return GenerationParams(**query.settings)
    except ValidationError as error:
        detail = error.errors()[0]
        setting, *inner = map(str, detail["loc"]) if detail["loc"] else ("",)
        place = ".".join([query.origins.get(setting, setting), *inner])
        raise wrong_field(place, detail["msg"]) from None


class ModelTable:
    """All models of a server, open within `with`."""

    def __init__(self, configs: Mapping[str, ServedModel], most_waiting: int):
        _check_fallbacks(configs)
        for config in configs.values():
            _check_served(config)
        self._configs = configs
        self._most_waiting = most_waiting
        self._models: dict[str, Model] = {}
        self._candidates: dict[str, list[Model]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack as stack:
            for name, config in self._configs.items():
                model = Model.load(name, config, self._most_waiting)
                stack.callback(model.close)
                self._models[name] = model
            self._stack = stack.pop_all()
        for name, config in self._configs.items():
            self._candidates[name] = [self._models[one] for one in (name, *config.fallbacks)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def find(self, name: str | None) -> Model:
        """A model by its name; the first one without. Raises HttpError."""
        if name is None:
            return next(iter(self))
        model = self._models.get(name)
        if model is None:
            hint = did_you_mean(name, self._models, before="; ") or (
                f"; there are {', '.join(self._models)}"
            )
            raise HttpError(
                404, f"no model {name!r} here{hint}", code="model_not_found", param="model"
            )
        return model

    def candidates(self, name: str | None) -> list[Model]:
        """The model, and those that may answer in its place."""
        return self._candidates[self.find(name).name]


def _check_fallbacks(configs: Mapping[str, ServedModel]) -> None:
    for name, config in configs.items():
        for other in config.fallbacks:
            if other == name or other not in configs:
                hint = did_you_mean(other, configs.keys() - {name}, before="; ")
                raise ConfigError(f"models.{name}.fallbacks: {other!r} is no other model{hint}")


def _check_served(config: ServedModel) -> None:
    """Raise ConfigError for what a run does, and a server does not."""
    if config.generation.num_samples > 1:
        raise ConfigError("generation.num_samples: a client says by `n` how many answers it wants")
    for name in LIMITS:
        if getattr(config, name) is not None:
            raise ConfigError(
                f"{name}: of a run; a server has budgets of its keys: keys.NAME.{name}"
            )


def _with(patience: RemoteParams, config: ServedModel) -> InferenceConfig:
    """The settings without the files of a run. Those of an API have this patience, unless they say
    otherwise.
    """
    names = config.model_fields_set.difference(_OF_RUNS)
    bare = InferenceConfig(**{name: getattr(config, name) for name in names})
    if engine_for(config).provider is None:
        return bare
    return bare.model_copy(update={"remote_params": patience.merge(config.remote_params)})
