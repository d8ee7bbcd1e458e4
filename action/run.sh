#!/usr/bin/env bash
# Runs `plimsoll check` in a job of GitHub Actions and ends with its exit status.
#
# Everything comes in through the environment, see action.yml. `plimsoll check -o github` itself
# writes annotations to standard output, and the files that GITHUB_STEP_SUMMARY and GITHUB_OUTPUT
# name.
set -euo pipefail

arguments=(check -o github)

# Adds an option with its value, if there is one.
option() {
    if [[ -n "$2" ]]; then
        arguments+=("$1=$2")
    fi
}

# Adds each line of a text that is not empty, with something before it.
lines() {
    local line
    while IFS= read -r line || [[ -n "$line" ]]; do
        line="${line%$'\r'}"
        if [[ -n "${line//[[:space:]]/}" ]]; then
            arguments+=("$2$line")
        fi
    done <<<"$1"
}

# Writes the comment on the pull request, or replaces the one with the same marker.
comment() {
    local body="$1" comments ids marker
    if [[ -z "${CHECK_PULL_REQUEST:-}" ]]; then
        echo "plimsoll: no comment, for this is no pull request"
        return
    fi
    marker="$(head -n 1 "$body")"
    comments="repos/$GITHUB_REPOSITORY/issues/$CHECK_PULL_REQUEST/comments"
    # Only what a bot wrote is replaced: anybody can write the marker.
    ids="$(MARKER="$marker" api --paginate "$comments" --jq \
        '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id')" || return
    if [[ -n "$ids" ]]; then
        comments="repos/$GITHUB_REPOSITORY/issues/comments/${ids%%$'\n'*}"
        api --silent --method PATCH "$comments" -F "body=@$body"
    else
        api --silent --method POST "$comments" -F "body=@$body"
    fi
}

# Asks GitHub; the token is for nobody else.
api() {
    GH_TOKEN="$token" gh api "$@"
}

token="${CHECK_TOKEN:-}"
unset CHECK_TOKEN
option --config "${CHECK_CONFIG:-}"
option --gate "${CHECK_GATE:-}"
option --baseline "${CHECK_BASELINE:-}"
option --fail-on "${CHECK_FAIL_ON:-}"
lines "${CHECK_WRITE:-}" --write=
page=""
if [[ "${CHECK_COMMENT:-}" == true ]]; then
    page="$(mktemp)"
    trap 'rm -f "$page"' EXIT
    arguments+=("--write=md=$page")
fi
lines "${CHECK_ARGS:-}" ""
arguments+=(--)
lines "${CHECK_INPUTS:-}" ""

status=0
"${CHECK_BINARY:-plimsoll}" "${arguments[@]}" || status=$?

if [[ "$status" == 2 || "$status" == 4 ]]; then
    echo "::error title=plimsoll::nothing was judged (exit status $status): the log of this step says why"
fi

# A comment that cannot be written does not change what the check says.
if [[ -s "$page" ]]; then
    comment "$page" || echo "::warning title=plimsoll::the comment could not be written"
fi
exit "$status"
