"""Jobs of the same rows with another number of samples, which would be paid for twice."""

from __future__ import annotations

from oumi.batch.api.job_state import job_info, public_id
from oumi.batch.api.state_file import load_state
from oumi.batch.job_folder import JobFolder, all_folders
from oumi.batch.job_spec import JobKind, JobSpec
from oumi.data.samples import sampled_fingerprint
from oumi.data.source import Source
from oumi.errors import ConfigError


def check_other_samples(spec: JobSpec, source: Source) -> None:
    """Raise ConfigError where a job of other samples of the same rows, under the same settings, may
    still answer some of them.

    Samples that a job has answered are in the journal of their run, where they are found by their
    keys; those of one that goes on are nowhere yet.
    """
    fingerprint = source.input_fingerprint()
    for folder in all_folders():
        other = folder.spec
        if (other.kind, other.settings_key) != (JobKind.API, spec.settings_key):
            continue
        count = other.config.generation.num_samples
        if count == source.num_samples:
            continue
        if other.fingerprint == sampled_fingerprint(fingerprint, count) and _goes_on(folder):
            name = public_id(folder, load_state(folder))
            raise ConfigError(
                f"generation.num_samples: {name} works on {count} samples of the same rows, and "
                f"{source.num_samples} are asked for: run it to its end with {count}, or stop it "
                f"with `oumi batch cancel {name}`"
            )


def _goes_on(folder: JobFolder) -> bool:
    state = load_state(folder)
    return state.attempt > 0 and not job_info(folder, state).is_terminal
