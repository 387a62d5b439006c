#!/usr/bin/env bash
# The main job, end to end, on a local cluster: every line of output comes from the commands it shows.
# Works on a copy of the registry in a folder of its own; an interrupted run takes its cluster down again.
set -euo pipefail
cd "$(dirname "$0")/../.."
demo=$PWD/tests/demo
work=$(mktemp -d)
registry=$work/registry
export RECONCILER_LOCAL_DIR=$work/local RAY_AUTH_MODE=${RAY_AUTH_MODE:-disabled}
traffic_pid=

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() { printf '\033[2m$ %s\033[0m\n' "${*//$work/.}"; "$@"; }

clean_up() {
    trap '' INT TERM
    [ -z "$traffic_pid" ] || kill "$traffic_pid" 2>/dev/null || true
    reconcile local down 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

edit() { # file, sed expression: change one line of a model file and show it as git does
    sed -i.before "$2" "$registry/$1" && rm "$registry/$1.before"
    git -C "$registry" --no-pager diff --unified=0 --no-color -- "$1" | grep '^[-+] '
}

commit() { git -C "$registry" -c user.name=demo -c user.email=demo@example.com commit --quiet --all --message "$1"; }

step "1. A registry of our own, and a local Ray cluster that somebody else uses too"
mkdir -p "$registry/clusters"
cp registry/local--tiny-chat-*.yaml "$registry"
cp registry/clusters/local.yaml "$registry/clusters"
git -C "$registry" init --quiet
git -C "$registry" add --all
commit "Two tiny models"
run reconcile local up
run python "$demo/neighbour.py" deploy

step "2. What would be done"
run reconcile validate --registry "$registry"
run reconcile plan --registry "$registry"

step "3. Do it, and ask each model"
run reconcile apply --registry "$registry" --auto-approve
run python "$demo/ask.py"

step "4. Edits that scale or tune: in place, the same replicas before and after"
run reconcile status
edit local--tiny-chat-a.yaml 's/max_replicas: .*/max_replicas: 2/'
edit local--tiny-chat-b.yaml 's/temperature: .*/temperature: 0.2/'
commit "Let one model scale, and cool the other"
run reconcile apply --registry "$registry" --auto-approve
run reconcile status

step "5. An engine argument: a rolling restart, with requests all the time"
edit local--tiny-chat-a.yaml 's/max_num_seqs: .*/max_num_seqs: 8/'
commit "Smaller batches"
python "$demo/traffic.py" local/tiny-chat-a &
traffic_pid=$!
run reconcile plan --registry "$registry" --out "$work/plan.json"
run reconcile apply --registry "$registry" "$work/plan.json"
kill "$traffic_pid"
wait "$traffic_pid"
traffic_pid=

step "6. Somebody changes the cluster behind our back: drift says what, apply heals"
run python "$demo/neighbour.py" mischief
status=0
run reconcile drift --registry "$registry" --detailed-exitcode || status=$?
echo "exit code $status"
[ "$status" -eq 2 ]
run reconcile apply --registry "$registry" --auto-approve
run reconcile drift --registry "$registry" --detailed-exitcode

step "7. The neighbour's application is as it was, and nothing is left running"
run python "$demo/neighbour.py" check
run reconcile local down
printf '\nThe whole way took %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
