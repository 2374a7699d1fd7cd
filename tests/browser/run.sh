#!/bin/sh
# Goes through the collector's pages in Chromium: logs in, follows every kind of page, looks for errors, violations of the
# content security policy and text that is wider than the screen, with JavaScript on and off, in light and dark.
#
# Starts no collector. Needs one with at least one host that has reported:
#   AFFIANT_URL       where people reach it, for instance http://127.0.0.1:8443
#   AFFIANT_PASSWORD  of AFFIANT_USER (default: admin)
#   AFFIANT_SHOTS     folder for screenshots (default: none are kept)
#   CHROMIUM          the browser (default: /usr/bin/chromium)
# Packages: chromium fonts-dejavu-core nodejs npm.
set -eu
: "${AFFIANT_URL:?where people reach the collector}"
: "${AFFIANT_PASSWORD:?the password of ${AFFIANT_USER:-admin}}"
cd "$(dirname "$0")"
[ -d node_modules/playwright-core ] || npm install --no-audit --no-fund --silent
exec node pages.mjs
