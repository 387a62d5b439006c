#!/usr/bin/env bash
# The main job, end to end, on a local cluster: every line of output comes from the commands it shows.
# Works on a copy of the registry in a folder of its own; an interrupted run takes its cluster down again.
set -euo pipefail
demo=$(cd "$(dirname "$0")" && pwd)
curated=$demo/../../registry
work=$(mktemp -d)
cd "$work"
unset RECONCILER_LOCAL_DIR
traffic_pid=

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() { printf '\033[2m$ %s\033[0m\n' "${*//$demo\//}"; "$@"; }

clean_up() {
    trap '' INT TERM
    [ -z "$traffic_pid" ] || kill "$traffic_pid" 2>/dev/null || true
    reconcile local down >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

edit() { # file, sed expression: change one line of a model file and show it as git does
    sed -i.before "$2" "registry/$1" && rm "registry/$1.before"
    git --no-pager diff --unified=0 --no-color -- "registry/$1" | grep '^[-+] '
}

commit() { git -c user.name=demo -c user.email=demo@example.com commit --quiet --all --message "$1"; }

step "1. A registry of our own, and a local Ray cluster that somebody else uses too"
mkdir -p registry/clusters
cp "$curated"/local--tiny-chat-*.yaml registry
cp "$curated"/clusters/local.yaml registry/clusters
git init --quiet
git add registry
commit "Two tiny models"
run reconcile local up
run python "$demo/neighbour.py" deploy

step "2. What would be done"
run reconcile validate
run reconcile plan

step "3. Do it, and ask each model"
run reconcile apply --auto-approve
run python "$demo/ask.py"

step "4. Edits that scale or tune: in place, the same replicas before and after"
run reconcile status
edit local--tiny-chat-a.yaml 's/max_replicas: .*/max_replicas: 2/'
edit local--tiny-chat-b.yaml 's/temperature: .*/temperature: 0.2/'
commit "Let one model scale, and cool the other"
run reconcile apply --auto-approve
run reconcile status

step "5. An engine argument: a rolling restart, with requests all the time"
edit local--tiny-chat-a.yaml 's/max_num_seqs: .*/max_num_seqs: 8/'
commit "Smaller batches"
python "$demo/traffic.py" local/tiny-chat-a &
traffic_pid=$!
run reconcile plan --out plan.json
run reconcile apply plan.json
kill "$traffic_pid"
wait "$traffic_pid"
traffic_pid=

step "6. Somebody changes the cluster behind our back: drift says what, apply heals"
run python "$demo/neighbour.py" mischief
status=0
run reconcile drift --detailed-exitcode || status=$?
echo "exit code $status"
[ "$status" -eq 2 ]
run reconcile apply --auto-approve
run reconcile drift --detailed-exitcode

step "7. The neighbour's application is as it was, and nothing is left running"
run python "$demo/neighbour.py" check
run reconcile local down
printf '\nThe whole way took %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
