#!/usr/bin/env bash
# Runs action/run.sh with a plimsoll and a gh that only note what they are asked for.
#
# Usage: bash tests/action.sh
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0

cat >"$work/plimsoll" <<'FAKE'
#!/usr/bin/env bash
printf '%s\n' "$@" >"$FAKE_DIR/arguments"
printf '%s' "${CHECK_TOKEN:-}${GH_TOKEN:-}" >"$FAKE_DIR/token"
for argument in "$@"; do
    if [[ "$argument" == --write=md=* ]]; then
        printf '<!-- plimsoll:check -->\n### fake\n' >"${argument#--write=md=}"
    fi
done
echo "decision=hold" >>"$GITHUB_OUTPUT"
echo "### fake" >>"$GITHUB_STEP_SUMMARY"
echo "::warning title=fake::fake"
exit "$FAKE_STATUS"
FAKE
cat >"$work/gh" <<'FAKE'
#!/usr/bin/env bash
printf '%s ' "$GH_TOKEN" "$@" >>"$FAKE_DIR/calls"
echo >>"$FAKE_DIR/calls"
if [[ "$*" == *--paginate* ]]; then
    printf '%s' "$FAKE_COMMENTS"
fi
exit "$FAKE_GH_STATUS"
FAKE
chmod +x "$work/plimsoll" "$work/gh"

# Runs the script with some variables; leaves what it did in files of $work.
run() {
    rm -f "$work"/{arguments,calls,stdout,summary,output}
    status=0
    env -i PATH="$work:$PATH" FAKE_DIR="$work" FAKE_STATUS=0 FAKE_GH_STATUS=0 FAKE_COMMENTS= \
        GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" \
        GITHUB_REPOSITORY=owner/name "$@" bash "$root/action/run.sh" >"$work/stdout" || status=$?
}

# Compares what was with what was wanted, and says which case it is.
check() {
    if [[ "$2" != "$3" ]]; then
        printf 'FAILED: %s\n  got:    %q\n  wanted: %q\n' "$1" "$2" "$3"
        failed=1
    fi
}

arguments() {
    paste -sd' ' "$work/arguments"
}

run
check "nothing given is the store" "$(arguments)" "check -o github --"
check "outputs are plimsoll's" "$(cat "$work/output" "$work/summary")" $'decision=hold\n### fake'
check "annotations go to standard output" "$(cat "$work/stdout")" "::warning title=fake::fake"

for code in 0 1 2 3 4 5; do
    run FAKE_STATUS="$code"
    check "exit status $code is handed on" "$status" "$code"
done

run CHECK_INPUTS=$'logs/my app.jsonl\r\n\n  \n--help\n$(touch pwned)' CHECK_CONFIG="a b.toml" \
    CHECK_GATE=post CHECK_BASELINE=main CHECK_FAIL_ON=warn CHECK_ARGS=$'--now\n2026-11-18' \
    CHECK_WRITE=$'sarif=a.sarif\njunit=b.xml'
check "each line is one argument, and inputs are no options" "$(cat "$work/arguments")" \
    $'check\n-o\ngithub\n--config=a b.toml\n--gate=post\n--baseline=main\n--fail-on=warn
--write=sarif=a.sarif\n--write=junit=b.xml\n--now\n2026-11-18\n--
logs/my app.jsonl\n--help\n$(touch pwned)'

run CHECK_BINARY="$work/nothing" 2>/dev/null
check "a command that is not there is an error" "$status" 127

run CHECK_COMMENT=true
check "no pull request, no comment" "$(test -e "$work/calls" && echo called)" ""
check "and it is said" "$(tail -n 1 "$work/stdout")" \
    "plimsoll: no comment, for this is no pull request"

run CHECK_COMMENT=true CHECK_PULL_REQUEST=7 CHECK_TOKEN=secret FAKE_STATUS=1
check "a first comment is written" "$(grep -c 'POST repos/owner/name/issues/7/comments' "$work/calls")" 1
check "and the status stays" "$status" 1
check "the token is for gh" "$(grep -vc '^secret ' "$work/calls")" 0
check "and not for plimsoll" "$(cat "$work/token")" ""

run CHECK_COMMENT=true CHECK_PULL_REQUEST=7 FAKE_COMMENTS=$'41\n42\n'
check "an earlier comment is replaced" \
    "$(grep -c 'PATCH repos/owner/name/issues/comments/41 ' "$work/calls")" 1
check "and no other is written" "$(grep -c POST "$work/calls")" 0

run CHECK_COMMENT=true CHECK_PULL_REQUEST=7 FAKE_GH_STATUS=1 FAKE_STATUS=3
check "a comment that cannot be written is a warning" "$(tail -n 1 "$work/stdout")" \
    "::warning title=plimsoll::the comment could not be written"
check "that does not change the status" "$status" 3
check "and who cannot be asked is not told" "$(grep -c POST "$work/calls")" 0

if [[ "$failed" == 0 ]]; then
    echo "action/run.sh: all cases hold"
fi
exit "$failed"
