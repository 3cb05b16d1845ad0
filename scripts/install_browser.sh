#!/usr/bin/env bash
# Finds a Chromium for the tests of the report's page, or installs one, in some 10 seconds.
#
#   scripts/install_browser.sh PYTHON      PYTHON has the package playwright
#
# It prints nothing where there is one. Playwright drives any Chromium of these years, so that of the
# system is as good as its own, and comes with the libraries that it needs.
set -euo pipefail

python=${1:?usage: $0 PYTHON}

find_browser() {
    "$python" -m tests.report.browser >/dev/null 2>&1
}

install_from_system() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || true
    # Debian has the shell without windows since version 12; Ubuntu's chromium is a snap, which is none.
    apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1
}

install_from_playwright() {
    "$python" -m playwright install --only-shell chromium >/dev/null
}

find_browser && exit 0
echo "Installing a Chromium for the tests of the report"
install_from_system || install_from_playwright || true
find_browser || echo "No Chromium can be installed here: the tests of the report's page will say so" >&2
